CREATE OR REPLACE FUNCTION numbersIn AS (entries) ->
    arrayMap(
        entry -> assumeNotNull(toUInt32OrNull(entry)),
        arrayFilter(entry -> isNotNull(toUInt32OrNull(entry)), entries))
