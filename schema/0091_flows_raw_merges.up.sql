-- Each merge writes all rows anew, which costs as much as storing them. With eight parts at once
-- instead of as few as three, a row is written fewer times until it lies in a large part.
ALTER TABLE flows_raw MODIFY SETTING min_parts_to_merge_at_once = 8
