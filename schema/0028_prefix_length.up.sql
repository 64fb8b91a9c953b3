-- With a dotted address, /0 to /32 is meant as for IPv4, however the address is written.
CREATE OR REPLACE FUNCTION prefixLength AS (network) ->
    multiIf(
        position(network, '.') = 0, toUInt16(splitByChar('/', concat(network, '/128'))[2]),
        toUInt16(splitByChar('/', concat(network, '/128'))[2]) <= 32, 96 + toUInt16(splitByChar('/', concat(network, '/128'))[2]),
        toUInt16(splitByChar('/', concat(network, '/128'))[2]) < 96, 255,
        toUInt16(splitByChar('/', concat(network, '/128'))[2]))
