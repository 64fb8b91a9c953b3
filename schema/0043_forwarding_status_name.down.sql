DROP FUNCTION IF EXISTS forwardingStatusName
