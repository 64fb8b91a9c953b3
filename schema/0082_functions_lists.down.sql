-- system.functions has no place for the descriptions of functions made with SQL.
CREATE OR REPLACE VIEW functions
(
    `Function` String COMMENT 'Name of the function',
    `Arguments` String COMMENT 'Names of its arguments',
    `Returns` String COMMENT 'Type of its result',
    `Description` String COMMENT 'What it is for',
    `Example` String COMMENT 'A call',
    `Result` String COMMENT 'What the call returns'
)
AS
SELECT *
FROM VALUES('Function String, Arguments String, Returns String, Description String, Example String, Result String',
        ('parseAddress', 'text', 'IPv6', 'An address in any form that people write, a.b.c.d, ::a.b.c.d, ::ffff:a.b.c.d or IPv6, as it is stored', 'parseAddress(''::192.0.2.1'')', '::ffff:192.0.2.1'),
        ('addressToString', 'address', 'String', 'An address as people write it: IPv4 as a.b.c.d; empty for ::, which is none', 'addressToString(parseAddress(''192.0.2.1''))', '192.0.2.1'),
        ('isIPv4Address', 'address', 'UInt8', 'Whether an address is IPv4', 'isIPv4Address(parseAddress(''192.0.2.1''))', '1'),
        ('networkRange', 'network', 'Tuple(IPv6, IPv6)', 'First and last address of a network in CIDR notation, or an address twice; with a dotted address, lengths up to 32 are those of IPv4', 'networkRange(''192.0.2.0/24'')', '(''::ffff:192.0.2.0'',''::ffff:192.0.2.255'')'),
        ('prefixLength', 'network', 'UInt32', 'Prefix length of a network in CIDR notation as it is stored, which for IPv4 is 96 more; 255 if it is impossible', 'prefixLength(''192.0.2.0/24'')', '120'),
        ('isInNetwork', 'address, network', 'UInt8', 'Whether an address is in a network in CIDR notation; filters with a literal network use indexes', 'isInNetwork(parseAddress(''192.0.2.1''), ''192.0.2.0/24'')', '1'),
        ('networkOf', 'address, length4, length6', 'String', 'Network of an address with one prefix length for IPv4 and one for IPv6; empty for ::', 'networkOf(parseAddress(''2001:db8:1:2::3''), 24, 48)', '2001:db8:1::/48'),
        ('bitsPerSecond', 'bytes, samplingRate, seconds', 'Float64', 'Aggregate: traffic in bits per second over a bucket of so many seconds, multiplied by the sampling rate', 'bitsPerSecond(1500, 1000, 60)', '200000'),
        ('packetsPerSecond', 'packets, samplingRate, seconds', 'Float64', 'Aggregate: packets per second over a bucket of so many seconds, multiplied by the sampling rate', 'packetsPerSecond(3, 1000, 60)', '50'),
        ('rateToString', 'bitsPerSecond', 'String', 'Bits per second with a unit', 'rateToString(1234567890)', '1.23 Gbit/s'),
        ('protocolName', 'number', 'String', 'Name of an IP protocol, or its number', 'protocolName(17)', 'UDP'),
        ('tcpFlagsToString', 'flags', 'String', 'Names of TCP flags, joined by -', 'tcpFlagsToString(18)', 'SYN-ACK'),
        ('etherTypeName', 'etherType', 'String', 'Name of an ethertype, or its number in hexadecimal; empty for 0', 'etherTypeName(0x86dd)', 'IPv6'),
        ('icmpName', 'protocol, type, code', 'String', 'What an ICMP or ICMPv6 message says; empty for other protocols', 'icmpName(1, 3, 3)', 'port unreachable'),
        ('portName', 'protocol, port', 'String', 'Service that IANA has for a port of TCP, UDP, SCTP or DCCP; empty if it is not well known', 'portName(6, 443)', 'https'),
        ('serviceName', 'protocol, port1, port2', 'String', 'Service that two hosts use with each other: name of the known port, or the lower number; empty without ports', 'serviceName(17, 40000, 53)', 'domain'),
        ('isKnownPort', 'port', 'UInt8', 'Whether portName has a name for a port', 'isKnownPort(443)', '1'),
        ('servicePort', 'protocol, port1, port2', 'UInt16', 'Port of the service that two hosts use with each other, as rollups have it: the known one, or the lower one below 1024; otherwise 0', 'servicePort(17, 40000, 53)', '53'),
        ('directionName', 'flowDirection', 'String', 'in or out', 'directionName(1)', 'out'),
        ('dscpName', 'tos', 'String', 'Name of the DSCP in a type of service or traffic class, or its number', 'dscpName(184)', 'EF'),
        ('forwardingStatusName', 'status', 'String', 'What a router did with a packet, and why; empty if not told', 'forwardingStatusName(129)', 'dropped: ACL deny'),
        ('macToString', 'mac', 'String', 'A MAC address as people write it, empty for 0', 'macToString(0x020000000001)', '02:00:00:00:00:01'),
        ('communityToString', 'community', 'String', 'A BGP community as routers write it', 'communityToString(4227072120)', '64500:120'))
COMMENT 'Functions that NetMeta adds to SQL; create_query of system.functions shows what they stand for'
