-- A comparison of two constants, so that filters with it can use indexes.
CREATE OR REPLACE FUNCTION isIPv4Address AS (address) ->
    address BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255')
