-- One filter after the other: prefixLength is not to see what has no length, and networkRange
-- nothing that it refuses.
CREATE OR REPLACE FUNCTION networksIn AS (entries) ->
    arrayMap(
        entry -> networkRange(entry),
        arrayFilter(
            entry -> prefixLength(entry) <= 128,
            arrayFilter(
                entry -> isNotNull(parseAddressOrNull(splitByChar('/', entry)[1])),
                arrayFilter(entry -> match(entry, '^[^/]+/[0-9]{1,3}$'), entries))))
