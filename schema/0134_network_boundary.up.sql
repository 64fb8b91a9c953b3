CREATE OR REPLACE FUNCTION networkBoundary AS (address) ->
    dictGetOrDefault('Networks', 'Boundary', tuple(toIPv6(address)), '')
