-- From here to migration 56 nothing is consumed: what flows_raw gets is to be in the rollups,
-- each flow from the first block on.
DROP VIEW IF EXISTS flows_gate SYNC
