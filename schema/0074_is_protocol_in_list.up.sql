CREATE OR REPLACE FUNCTION isProtocolInList AS (number, list) ->
    (empty(includedEntries(list)) OR has(protocolsIn(includedEntries(list)), number))
    AND (empty(excludedEntries(list)) OR NOT has(protocolsIn(excludedEntries(list)), number))
