-- toIPv6 makes ::ffff:a.b.c.d of a.b.c.d; ::a.b.c.d is how NetMeta wrote IPv4 until 2023.
CREATE OR REPLACE FUNCTION parseAddress AS (text) ->
    toIPv6(replaceRegexpOne(trimBoth(text), '^::([fF]{4}:)?([0-9]+[.][0-9.]+)$', '\\2'))
