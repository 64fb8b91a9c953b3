CREATE OR REPLACE FUNCTION packetsPerSecond AS (packets, samplingRate, seconds) ->
    sum(packets * samplingRate) / seconds
