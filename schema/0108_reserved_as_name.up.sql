-- IANA, Special-Purpose AS Numbers: RFC 5398, RFC 6793, RFC 6996, RFC 7300.
CREATE OR REPLACE FUNCTION reservedASName AS (asn) ->
    multiIf(
        asn = 23456, 'AS_TRANS, a number that an exporter could not tell',
        asn BETWEEN 64496 AND 64511 OR asn BETWEEN 65536 AND 65551, 'documentation',
        asn BETWEEN 64512 AND 65534 OR asn BETWEEN 4200000000 AND 4294967294, 'private use',
        asn BETWEEN 65535 AND 131071 OR asn = 4294967295, 'reserved',
        '')
