ALTER TABLE flows_1h MODIFY SETTING min_parts_to_merge_at_once = 8
