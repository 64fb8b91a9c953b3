-- The server's port is the one that has a name, or else the lower one, since clients take
-- theirs from the top of the range.
CREATE OR REPLACE FUNCTION serviceName AS (protocol, port1, port2) ->
    multiIf(
        protocol NOT IN (6, 17, 33, 132, 136) OR (port1 = 0 AND port2 = 0), '',
        portName(protocol, port1) != '' AND (portName(protocol, port2) = '' OR port1 <= port2), portName(protocol, port1),
        portName(protocol, port2) != '', portName(protocol, port2),
        toString(if(least(port1, port2) = 0, greatest(port1, port2), least(port1, port2))))
