-- Each merge writes all rows anew, which costs as much as storing them. With eight parts at once
-- instead of as few as three, a row is written fewer times until it lies in a large part. Sparse
-- columns save nothing behind ZSTD, but have files of their own, and merging them takes longer.
ALTER TABLE flows_raw MODIFY SETTING
    min_parts_to_merge_at_once = 8,
    ratio_of_defaults_for_sparse_serialization = 1
