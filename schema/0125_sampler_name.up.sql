CREATE OR REPLACE FUNCTION samplerName AS (exporter) ->
    if(dictGet('SamplerConfig', 'Name', tuple(toIPv6(exporter))) != '', dictGet('SamplerConfig', 'Name', tuple(toIPv6(exporter))), addressToString(toIPv6(exporter)))
