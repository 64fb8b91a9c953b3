-- What the settings say goes before registries. A name that somebody gave to a number of
-- private use is better than its purpose.
CREATE OR REPLACE FUNCTION asName AS (asn) ->
    multiIf(
        dictGetOrDefault('OwnAutnums', 'Name', toUInt64(asn), '') != '', dictGetOrDefault('OwnAutnums', 'Name', toUInt64(asn), ''),
        dictGetOrDefault('as_registry', 'Name', toUInt64(asn), '') != '', dictGetOrDefault('as_registry', 'Name', toUInt64(asn), ''),
        reservedASName(asn) != '', reservedASName(asn),
        toString(asn))
