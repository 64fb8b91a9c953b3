CREATE OR REPLACE FUNCTION addressToString AS (address) ->
    multiIf(
        address = toIPv6('::'), '',
        isIPv4Address(address), substring(IPv6NumToString(address), length('::ffff:') + 1),
        IPv6NumToString(address))
