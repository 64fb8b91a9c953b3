CREATE OR REPLACE FUNCTION asText AS (asn) ->
    multiIf(
        asn = 0, 'unknown',
        asName(asn) = toString(asn), concat('AS', toString(asn)),
        concat('AS', toString(asn), ' ', asName(asn)))
