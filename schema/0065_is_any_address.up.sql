-- has() of a constant uses the indexes of flows_raw. AND and OR rather than if(): what cannot
-- matter is gone before indexes are looked at.
CREATE OR REPLACE FUNCTION isAnyAddress AS (address, entries) ->
    has(addressesIn(entries), address)
    OR (notEmpty(networksIn(entries))
        AND address BETWEEN arraySort(network -> network.1, networksIn(entries))[1].1 AND arraySort(network -> network.2, networksIn(entries))[-1].2
        AND (length(networksIn(entries)) = 1 OR arrayExists(network -> address BETWEEN network.1 AND network.2, networksIn(entries))))
