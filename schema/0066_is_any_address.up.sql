-- has() of a constant uses the indexes of flows_raw. AND and OR rather than if(): what cannot
-- matter is gone before indexes are looked at.
CREATE OR REPLACE FUNCTION isAnyAddress AS (address, addresses, networks) ->
    has(addresses, address)
    OR (notEmpty(networks)
        AND address BETWEEN arraySort(network -> network.1, networks)[1].1 AND arraySort(network -> network.2, networks)[-1].2
        AND (length(networks) = 1 OR arrayExists(network -> address BETWEEN network.1 AND network.2, networks)))
