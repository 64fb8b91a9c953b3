CREATE OR REPLACE FUNCTION isEitherAddressInList AS (address1, address2, list) ->
    (list.5 OR isAnyAddress(address1, list.1, list.2) OR isAnyAddress(address2, list.1, list.2))
    AND (empty(list.3) OR NOT has(list.3, address1) AND NOT has(list.3, address2))
    AND (empty(list.4) OR NOT arrayExists(
        network -> address1 BETWEEN network.1 AND network.2 OR address2 BETWEEN network.1 AND network.2, list.4))
