CREATE OR REPLACE FUNCTION vlanName AS (exporter, number) ->
    dictGetOrDefault('VlanNames', 'Name', (toIPv6(exporter), toUInt32(number)), dictGetOrDefault('VlanNames', 'Name', (toIPv6('::'), toUInt32(number)), toString(number)))
