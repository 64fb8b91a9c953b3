-- Whatever protocolName calls a protocol is understood, without a second list of the names.
CREATE OR REPLACE FUNCTION protocolsIn AS (entries) ->
    arrayFilter(
        number -> has(entries, toString(number)) OR has(arrayMap(entry -> upper(entry), entries), upper(protocolName(number))),
        arrayMap(number -> toUInt8(number), range(256)))
