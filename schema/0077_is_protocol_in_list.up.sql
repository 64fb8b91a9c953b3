CREATE OR REPLACE FUNCTION isProtocolInList AS (number, list) ->
    (list.3 OR has(list.1, number))
    AND (empty(list.2) OR NOT has(list.2, number))
