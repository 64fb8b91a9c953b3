CREATE OR REPLACE FUNCTION interfaceBoundary AS (exporter, number) ->
    multiIf(
        number = 0, '',
        dictGet('InterfaceNames', 'Boundary', (toIPv6(exporter), toUInt32(number))) != '', dictGet('InterfaceNames', 'Boundary', (toIPv6(exporter), toUInt32(number))),
        dictGet('SamplerConfig', 'Boundary', tuple(toIPv6(exporter))))
