ALTER TABLE flows_raw
    ADD COLUMN IF NOT EXISTS `SrcASResolved` Bool COMMENT 'Whether SrcAS comes from the routing table (as_prefixes), since the exporter did not tell it' CODEC(ZSTD(1)) AFTER `DstAS`,
    ADD COLUMN IF NOT EXISTS `DstASResolved` Bool COMMENT 'Whether DstAS comes from the routing table (as_prefixes), since the exporter did not tell it' CODEC(ZSTD(1)) AFTER `SrcASResolved`
