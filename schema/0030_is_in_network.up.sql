CREATE OR REPLACE FUNCTION isInNetwork AS (address, network) ->
    address BETWEEN networkRange(network).1 AND networkRange(network).2
