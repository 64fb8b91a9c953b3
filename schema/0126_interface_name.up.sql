CREATE OR REPLACE FUNCTION interfaceName AS (exporter, number) ->
    dictGetOrDefault('InterfaceNames', 'Name', (toIPv6(exporter), toUInt32(number)), toString(number))
