-- A name that somebody gave to a number of private use is the better one.
CREATE OR REPLACE FUNCTION asName AS (asn) ->
    multiIf(
        dictGetOrDefault('as_registry', 'Name', toUInt64(asn), '') != '', dictGetOrDefault('as_registry', 'Name', toUInt64(asn), ''),
        reservedASName(asn) != '', reservedASName(asn),
        toString(asn))
