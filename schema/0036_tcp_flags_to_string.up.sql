CREATE OR REPLACE FUNCTION tcpFlagsToString AS (flags) ->
    arrayStringConcat(
        arrayMap(flag -> transform(flag, [1, 2, 4, 8, 16, 32, 64, 128], ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'], ''),
            bitmaskToArray(flags)), '-')
