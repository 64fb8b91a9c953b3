CREATE OR REPLACE FUNCTION isEitherAddressInList AS (address1, address2, list) ->
    (empty(includedEntries(list)) OR
        isAnyAddress(address1, includedEntries(list)) OR isAnyAddress(address2, includedEntries(list)))
    AND (empty(excludedEntries(list)) OR
        NOT (isAnyAddress(address1, excludedEntries(list)) OR isAnyAddress(address2, excludedEntries(list))))
