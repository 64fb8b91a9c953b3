CREATE OR REPLACE FUNCTION networkOf AS (address, length4, length6) ->
    multiIf(
        address = toIPv6('::'), '',
        isIPv4Address(address), concat(addressToString(IPv6CIDRToRange(address, toUInt8(96 + length4)).1), '/', toString(length4)),
        concat(IPv6NumToString(IPv6CIDRToRange(address, toUInt8(length6)).1), '/', toString(length6)))
