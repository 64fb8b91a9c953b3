CREATE OR REPLACE FUNCTION networkRole AS (address) ->
    dictGetOrDefault('Networks', 'Role', tuple(toIPv6(address)), '')
