ALTER TABLE flows_errors
    ADD COLUMN IF NOT EXISTS `Length` UInt64 DEFAULT length(Message) COMMENT 'Bytes of the message, of which Message has the first MiB' CODEC(T64, ZSTD(1)) AFTER Reason,
    COMMENT COLUMN Message 'The message as it was received; of one that is longer than 1 MiB its beginning'
