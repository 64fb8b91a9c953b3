CREATE OR REPLACE FUNCTION isAddressInList AS (address, list) ->
    (empty(includedEntries(list)) OR isAnyAddress(address, includedEntries(list)))
    AND (empty(excludedEntries(list)) OR NOT isAnyAddress(address, excludedEntries(list)))
