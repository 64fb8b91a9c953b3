-- Not NOT of isAnyNumber: NOT of what is constant keeps skip indexes from being used.
CREATE OR REPLACE FUNCTION isNumberInList AS (number, list) ->
    (empty(includedEntries(list)) OR isAnyNumber(number, includedEntries(list)))
    AND (empty(excludedEntries(list)) OR
        NOT has(numbersIn(excludedEntries(list)), number)
        AND (empty(numberRangesIn(excludedEntries(list)))
            OR NOT arrayExists(numbers -> number BETWEEN numbers.1 AND numbers.2, numberRangesIn(excludedEntries(list)))))
