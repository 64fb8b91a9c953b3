CREATE OR REPLACE FUNCTION interfacesIn AS (entries) ->
    arrayMap(
        entry -> (assumeNotNull(parseAddressOrNull(splitByChar('/', entry)[1])), assumeNotNull(toUInt32OrNull(splitByChar('/', entry)[2]))),
        arrayFilter(
            entry -> isNotNull(parseAddressOrNull(splitByChar('/', entry)[1])) AND isNotNull(toUInt32OrNull(splitByChar('/', entry)[2])),
            arrayFilter(entry -> match(entry, '^[^/]+/[0-9]+$'), entries)))
