CREATE OR REPLACE FUNCTION excludedEntries AS (list) ->
    arrayMap(entry -> substring(entry, 2), arrayFilter(entry -> startsWith(entry, '!'), listEntries(list)))
