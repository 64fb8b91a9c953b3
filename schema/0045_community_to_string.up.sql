CREATE OR REPLACE FUNCTION communityToString AS (community) ->
    concat(toString(bitShiftRight(community, 16)), ':', toString(bitAnd(community, 0xffff)))
