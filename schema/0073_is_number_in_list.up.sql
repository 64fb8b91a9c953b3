-- Not NOT of isAnyNumber: NOT of what is constant keeps skip indexes from being used.
CREATE OR REPLACE FUNCTION isNumberInList AS (number, list) ->
    (list.5 OR isAnyNumber(number, list.1, list.2))
    AND (empty(list.3) OR NOT has(list.3, number))
    AND (empty(list.4) OR NOT arrayExists(ends -> number BETWEEN ends.1 AND ends.2, list.4))
