CREATE OR REPLACE FUNCTION addressBoundary AS (address, asn) ->
    if(dictGet('OwnAutnums', 'Boundary', toUInt64(asn)) != '' AND networkBoundary(address) != 'internal', dictGet('OwnAutnums', 'Boundary', toUInt64(asn)), networkBoundary(address))
