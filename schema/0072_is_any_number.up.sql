-- A single number is compared, which is faster than to look it up; most people filter by one.
CREATE OR REPLACE FUNCTION isAnyNumber AS (number, numbers, ranges) ->
    (length(numbers) = 1 AND number = numbers[1])
    OR (length(numbers) > 1 AND has(numbers, number))
    OR (notEmpty(ranges) AND arrayExists(ends -> number BETWEEN ends.1 AND ends.2, ranges))
