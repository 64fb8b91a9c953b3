-- A single number is compared, which is faster than to look it up; most people filter by one.
CREATE OR REPLACE FUNCTION isAnyNumber AS (number, entries) ->
    (length(numbersIn(entries)) = 1 AND number = numbersIn(entries)[1])
    OR (length(numbersIn(entries)) > 1 AND has(numbersIn(entries), number))
    OR (notEmpty(numberRangesIn(entries))
        AND arrayExists(numbers -> number BETWEEN numbers.1 AND numbers.2, numberRangesIn(entries)))
