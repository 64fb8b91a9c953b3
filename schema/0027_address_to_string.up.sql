-- IPv4 without the ::ffff: before it. Only of IPv4: ::ffff:1:2:3 has the same letters.
CREATE OR REPLACE FUNCTION addressToString AS (address) ->
    if(
        address = toIPv6('::'), '',
        substring(IPv6NumToString(address), if(isIPv4Address(address), length('::ffff:') + 1, 1)))
