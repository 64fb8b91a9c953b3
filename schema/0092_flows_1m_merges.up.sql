ALTER TABLE flows_1m MODIFY SETTING min_parts_to_merge_at_once = 8
