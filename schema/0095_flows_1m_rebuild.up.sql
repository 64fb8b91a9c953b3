-- When rows that are equal become one, sums by interface are made anew: without this, the table
-- refuses to have any.
ALTER TABLE flows_1m MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild'
