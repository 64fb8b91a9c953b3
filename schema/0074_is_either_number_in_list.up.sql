CREATE OR REPLACE FUNCTION isEitherNumberInList AS (number1, number2, list) ->
    (list.5 OR isAnyNumber(number1, list.1, list.2) OR isAnyNumber(number2, list.1, list.2))
    AND (empty(list.3) OR NOT has(list.3, number1) AND NOT has(list.3, number2))
    AND (empty(list.4) OR NOT arrayExists(
        ends -> number1 BETWEEN ends.1 AND ends.2 OR number2 BETWEEN ends.1 AND ends.2, list.4))
