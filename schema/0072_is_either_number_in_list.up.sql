CREATE OR REPLACE FUNCTION isEitherNumberInList AS (number1, number2, list) ->
    (empty(includedEntries(list)) OR
        isAnyNumber(number1, includedEntries(list)) OR isAnyNumber(number2, includedEntries(list)))
    AND (empty(excludedEntries(list)) OR
        NOT has(numbersIn(excludedEntries(list)), number1)
        AND (empty(numberRangesIn(excludedEntries(list)))
            OR NOT arrayExists(numbers -> number1 BETWEEN numbers.1 AND numbers.2, numberRangesIn(excludedEntries(list))))
        AND NOT has(numbersIn(excludedEntries(list)), number2)
        AND (empty(numberRangesIn(excludedEntries(list)))
            OR NOT arrayExists(numbers -> number2 BETWEEN numbers.1 AND numbers.2, numberRangesIn(excludedEntries(list)))))
