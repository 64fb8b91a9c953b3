CREATE OR REPLACE FUNCTION isAnyNumber AS (number, entries) ->
    has(numbersIn(entries), number)
    OR (notEmpty(numberRangesIn(entries))
        AND arrayExists(numbers -> number BETWEEN numbers.1 AND numbers.2, numberRangesIn(entries)))
