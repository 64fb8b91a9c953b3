CREATE OR REPLACE FUNCTION networkName AS (address) ->
    dictGetOrDefault('Networks', 'Name', tuple(toIPv6(address)), '')
