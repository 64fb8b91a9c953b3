-- What has an impossible length is given to parseAddress, which refuses it. throwIf would keep
-- the range from being a constant, and so from using an index.
CREATE OR REPLACE FUNCTION networkRange AS (network) ->
    IPv6CIDRToRange(
        parseAddress(if(prefixLength(network) <= 128, splitByChar('/', network)[1], concat('network ', network))),
        toUInt8(prefixLength(network)))
