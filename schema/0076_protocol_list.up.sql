-- Protocols that are included, those that are excluded, and whether nothing is included, which
-- means everything.
CREATE OR REPLACE FUNCTION protocolList AS (list) ->
    (protocolsIn(includedEntries(list)), protocolsIn(excludedEntries(list)), empty(includedEntries(list)))
