-- What stands twice is computed once.
CREATE OR REPLACE FUNCTION asOfAddress AS (address) ->
    if(
        bitShiftRight(toUInt128(address), 32) = 0xffff
            AND dictGetOrDefault('as_of_ipv4', 'ASN', toUInt64(bitAnd(bitShiftRight(toUInt128(address), 8), 0xffffff)), toUInt32(0)) != 4294967295,
        dictGetOrDefault('as_of_ipv4', 'ASN', toUInt64(bitAnd(bitShiftRight(toUInt128(address), 8), 0xffffff)), toUInt32(0)),
        dictGetOrDefault('as_of_prefix', 'ASN', address, toUInt32(0)))
