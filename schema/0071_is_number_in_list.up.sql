CREATE OR REPLACE FUNCTION isNumberInList AS (number, list) ->
    (empty(includedEntries(list)) OR isAnyNumber(number, includedEntries(list)))
    AND (empty(excludedEntries(list)) OR NOT isAnyNumber(number, excludedEntries(list)))
