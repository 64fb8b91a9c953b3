-- What stands behind the number and a colon is the name, for people.
CREATE OR REPLACE FUNCTION interfacesIn AS (entries) ->
    arrayMap(
        entry -> (assumeNotNull(parseAddressOrNull(splitByChar('/', entry)[1])), assumeNotNull(toUInt32OrNull(extract(entry, '^[^/]+/([0-9]+)')))),
        arrayFilter(
            entry -> isNotNull(parseAddressOrNull(splitByChar('/', entry)[1])) AND isNotNull(toUInt32OrNull(extract(entry, '^[^/]+/([0-9]+)'))),
            arrayFilter(entry -> match(entry, '^[^/]+/[0-9]+(:.*)?$'), entries)))
