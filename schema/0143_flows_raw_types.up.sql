-- Names for more kinds of sources: no row is written anew.
ALTER TABLE flows_raw
    MODIFY COLUMN `FlowType` Enum8('FLOWUNKNOWN' = 0, 'SFLOW_5' = 1, 'NETFLOW_V5' = 2, 'NETFLOW_V9' = 3, 'IPFIX' = 4, 'NFLOG' = 10, 'CONNTRACK' = 11, 'MIRROR' = 12, 'WEB_LOG' = 20, 'AWS_VPC' = 21, 'GCP_VPC' = 22, 'PCAP' = 23, 'NFCAPD' = 24) COMMENT 'Where the flow comes from: the protocol that it was received by, or the kind of log or capture that it was read from'
