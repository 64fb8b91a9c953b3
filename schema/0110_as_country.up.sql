CREATE OR REPLACE FUNCTION asCountry AS (asn) -> dictGetOrDefault('as_registry', 'Country', toUInt64(asn), '')
