-- IANA "IEEE 802 Numbers", section Ether Types.
CREATE OR REPLACE FUNCTION etherTypeName AS (etherType) -> transform(etherType,
    [0, 0x800, 0x806, 0x842, 0x22f3, 0x6003, 0x8035, 0x809b, 0x80f3, 0x8100, 0x8137, 0x86dd, 0x8808, 0x8809, 0x8847, 0x8848,
     0x8863, 0x8864, 0x888e, 0x8892, 0x88a4, 0x88a8, 0x88ca, 0x88cc, 0x88e5, 0x88e7, 0x88f5, 0x88f6, 0x88f7, 0x8902, 0x8906,
     0x8914, 0x8915, 0x892f, 0x894f, 0x9000, 0x9100],
    ['', 'IPv4', 'ARP', 'Wake-on-LAN', 'TRILL', 'DECnet', 'RARP', 'AppleTalk', 'AARP', '802.1Q', 'IPX', 'IPv6',
     'Ethernet flow control', 'Slow Protocols (LACP)', 'MPLS', 'MPLS multicast', 'PPPoE discovery', 'PPPoE', '802.1X',
     'PROFINET', 'EtherCAT', '802.1ad', 'TIPC', 'LLDP', 'MACsec', '802.1ah', 'MVRP', 'MMRP', 'PTP', 'CFM', 'FCoE', 'FIP',
     'RoCE', 'HSR', 'NSH', 'loopback', '802.1Q (old QinQ)'],
    concat('0x', lower(hex(toUInt16(etherType)))))
