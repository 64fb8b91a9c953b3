CREATE OR REPLACE FUNCTION addressCountry AS (address) ->
    dictGetOrDefault('Places', 'Country', tuple(toIPv6(address)), '')
