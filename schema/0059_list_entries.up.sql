-- Commas separate entries; braces are around them where Grafana joins several values.
CREATE OR REPLACE FUNCTION listEntries AS (list) ->
    arrayFilter(entry -> entry != '', splitByChar(',', replaceRegexpOne(replaceRegexpAll(list, '[[:space:]]', ''), '^[{](.*)[}]$', '\\1')))
