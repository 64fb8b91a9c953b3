-- For what is stored already. It goes on in the background: until a part has its sums, its rows
-- are read.
ALTER TABLE flows_1m MATERIALIZE PROJECTION IF EXISTS interfaces
