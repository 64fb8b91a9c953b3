CREATE OR REPLACE FUNCTION numberRangesIn AS (entries) ->
    arrayMap(
        entry -> (toUInt32(splitByChar('-', entry)[1]), toUInt32(splitByChar('-', entry)[2])),
        arrayFilter(
            entry -> isNotNull(toUInt32OrNull(splitByChar('-', entry)[1])) AND isNotNull(toUInt32OrNull(splitByChar('-', entry)[2])),
            arrayFilter(entry -> match(entry, '^[0-9]+-[0-9]+$'), entries)))
