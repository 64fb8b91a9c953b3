-- Not NOT of isAnyAddress: NOT of what is constant keeps skip indexes from being used.
CREATE OR REPLACE FUNCTION isAddressInList AS (address, list) ->
    (empty(includedEntries(list)) OR isAnyAddress(address, includedEntries(list)))
    AND (empty(excludedEntries(list)) OR
        NOT has(addressesIn(excludedEntries(list)), address)
        AND (empty(networksIn(excludedEntries(list)))
            OR NOT arrayExists(network -> address BETWEEN network.1 AND network.2, networksIn(excludedEntries(list)))))
