CREATE OR REPLACE FUNCTION isEitherAddressInList AS (address1, address2, list) ->
    (empty(includedEntries(list)) OR
        isAnyAddress(address1, includedEntries(list)) OR isAnyAddress(address2, includedEntries(list)))
    AND (empty(excludedEntries(list)) OR
        NOT has(addressesIn(excludedEntries(list)), address1)
        AND (empty(networksIn(excludedEntries(list)))
            OR NOT arrayExists(network -> address1 BETWEEN network.1 AND network.2, networksIn(excludedEntries(list))))
        AND NOT has(addressesIn(excludedEntries(list)), address2)
        AND (empty(networksIn(excludedEntries(list)))
            OR NOT arrayExists(network -> address2 BETWEEN network.1 AND network.2, networksIn(excludedEntries(list)))))
