CREATE OR REPLACE FUNCTION asCountry AS (asn) ->
    if(
        dictGetOrDefault('OwnAutnums', 'Country', toUInt64(asn), '') != '',
        dictGetOrDefault('OwnAutnums', 'Country', toUInt64(asn), ''),
        dictGetOrDefault('as_registry', 'Country', toUInt64(asn), ''))
