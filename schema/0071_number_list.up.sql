-- As addressList, of numbers and ranges of them.
CREATE OR REPLACE FUNCTION numberList AS (list) ->
    (numbersIn(includedEntries(list)), numberRangesIn(includedEntries(list)),
    numbersIn(excludedEntries(list)), numberRangesIn(excludedEntries(list)), empty(includedEntries(list)))
