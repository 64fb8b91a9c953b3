-- Not NOT of isAnyAddress: NOT of what is constant keeps skip indexes from being used.
CREATE OR REPLACE FUNCTION isAddressInList AS (address, list) ->
    (list.5 OR isAnyAddress(address, list.1, list.2))
    AND (empty(list.3) OR NOT has(list.3, address))
    AND (empty(list.4) OR NOT arrayExists(network -> address BETWEEN network.1 AND network.2, list.4))
