-- Addresses and networks that are included, the same that are excluded, and whether nothing is
-- included, which means everything.
CREATE OR REPLACE FUNCTION addressList AS (list) ->
    (addressesIn(includedEntries(list)), networksIn(includedEntries(list)),
    addressesIn(excludedEntries(list)), networksIn(excludedEntries(list)), empty(includedEntries(list)))
