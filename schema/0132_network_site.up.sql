CREATE OR REPLACE FUNCTION networkSite AS (address) ->
    dictGetOrDefault('Networks', 'Site', tuple(toIPv6(address)), '')
