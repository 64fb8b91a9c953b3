CREATE OR REPLACE FUNCTION addressCity AS (address) ->
    dictGetOrDefault('Places', 'City', tuple(toIPv6(address)), '')
