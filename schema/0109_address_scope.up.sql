-- IANA, IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), and multicast (RFC 5771,
-- RFC 4291). Who has the AS 0 for such an address has it for good.
CREATE OR REPLACE FUNCTION addressScope AS (address) ->
    multiIf(
        isIPv4Address(address), multiIf(
            isInNetwork(address, '10.0.0.0/8') OR isInNetwork(address, '172.16.0.0/12') OR isInNetwork(address, '192.168.0.0/16'), 'private use',
            isInNetwork(address, '100.64.0.0/10'), 'shared address space',
            isInNetwork(address, '224.0.0.0/4'), 'multicast',
            isInNetwork(address, '169.254.0.0/16'), 'link-local',
            isInNetwork(address, '127.0.0.0/8'), 'loopback',
            isInNetwork(address, '0.0.0.0/8'), 'this network',
            isInNetwork(address, '192.0.2.0/24') OR isInNetwork(address, '198.51.100.0/24') OR isInNetwork(address, '203.0.113.0/24'), 'documentation',
            isInNetwork(address, '198.18.0.0/15'), 'benchmarking',
            isInNetwork(address, '255.255.255.255/32'), 'broadcast',
            isInNetwork(address, '240.0.0.0/4'), 'reserved',
            ''),
        isInNetwork(address, 'fe80::/10'), 'link-local',
        isInNetwork(address, 'fc00::/7'), 'private use',
        isInNetwork(address, 'ff00::/8'), 'multicast',
        isInNetwork(address, '2001:db8::/32') OR isInNetwork(address, '3fff::/20'), 'documentation',
        isInNetwork(address, '2001:2::/48'), 'benchmarking',
        isInNetwork(address, '100::/64'), 'discard only',
        isInNetwork(address, '::1/128'), 'loopback',
        '')
