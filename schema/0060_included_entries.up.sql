CREATE OR REPLACE FUNCTION includedEntries AS (list) ->
    arrayFilter(entry -> NOT startsWith(entry, '!'), listEntries(list))
