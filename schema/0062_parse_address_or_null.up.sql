-- The forms that parseAddress takes.
CREATE OR REPLACE FUNCTION parseAddressOrNull AS (text) ->
    toIPv6OrNull(replaceRegexpOne(trimBoth(text), '^::([fF]{4}:)?([0-9]+[.][0-9.]+)$', '\\2'))
