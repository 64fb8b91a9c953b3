-- The same choice as that of serviceName, but what has no name and lies above 1023 is 0: rollups
-- would have a row for every pair of ports that two clients happened to take.
CREATE OR REPLACE FUNCTION servicePort AS (protocol, port1, port2) ->
    multiIf(
        protocol NOT IN (6, 17, 33, 132, 136), 0,
        isKnownPort(port1) AND (NOT isKnownPort(port2) OR port1 <= port2), port1,
        isKnownPort(port2), port2,
        port1 BETWEEN 1 AND 1023 AND (port2 = 0 OR port1 <= port2), port1,
        port2 BETWEEN 1 AND 1023, port2,
        0)
