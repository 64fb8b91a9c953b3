-- From here to migration 150 nothing is consumed: a block that is under way would still be
-- stored by the view as it was.
DROP VIEW IF EXISTS flows_gate SYNC
