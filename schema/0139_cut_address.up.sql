CREATE OR REPLACE FUNCTION cutAddress AS (address, length4, length6) ->
    if(address = toIPv6('::'), address, tupleElement(IPv6CIDRToRange(address, toUInt8(if(startsWith(reinterpretAsFixedString(address), unhex('00000000000000000000FFFF')), 96 + length4, length6))), 1))
