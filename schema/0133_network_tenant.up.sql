CREATE OR REPLACE FUNCTION networkTenant AS (address) ->
    dictGetOrDefault('Networks', 'Tenant', tuple(toIPv6(address)), '')
