CREATE OR REPLACE FUNCTION isEitherNumberInList AS (number1, number2, list) ->
    (empty(includedEntries(list)) OR
        isAnyNumber(number1, includedEntries(list)) OR isAnyNumber(number2, includedEntries(list)))
    AND (empty(excludedEntries(list)) OR
        NOT (isAnyNumber(number1, excludedEntries(list)) OR isAnyNumber(number2, excludedEntries(list))))
