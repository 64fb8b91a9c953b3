-- The sum is written as in the projection of flows_raw, which answers it.
CREATE OR REPLACE FUNCTION bitsPerSecond AS (bytes, samplingRate, seconds) ->
    sum(bytes * samplingRate) * 8 / seconds
