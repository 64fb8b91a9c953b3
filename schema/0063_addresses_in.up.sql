-- Of a list that somebody types, what is no address is left out and so matches nothing: its error
-- would come from deep inside a query. The text is a constant, and so is all that is made of it.
CREATE OR REPLACE FUNCTION addressesIn AS (entries) ->
    arrayMap(
        entry -> assumeNotNull(parseAddressOrNull(entry)),
        arrayFilter(entry -> isNotNull(parseAddressOrNull(entry)), entries))
