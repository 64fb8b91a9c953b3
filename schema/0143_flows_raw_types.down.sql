-- The names stay: rows may have them, and what was there before works with them.
ALTER TABLE flows_raw
    COMMENT COLUMN `FlowType` 'Protocol that the flow was received by'
