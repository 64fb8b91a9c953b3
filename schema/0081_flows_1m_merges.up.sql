ALTER TABLE flows_1m MODIFY SETTING
    min_parts_to_merge_at_once = 8,
    ratio_of_defaults_for_sparse_serialization = 1
