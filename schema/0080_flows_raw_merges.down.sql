ALTER TABLE flows_raw RESET SETTING
    min_parts_to_merge_at_once,
    ratio_of_defaults_for_sparse_serialization
