CREATE OR REPLACE FUNCTION hostNameOf AS (address) ->
    dictGetOrDefault('HostNames', 'Name', tuple(toIPv6(address)), addressToString(toIPv6(address)))
