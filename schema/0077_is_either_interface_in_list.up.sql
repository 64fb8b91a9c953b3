-- The exporter for itself is what the order of flows_raw begins with; of two pairs, only one could
-- be looked up in it.
CREATE OR REPLACE FUNCTION isEitherInterfaceInList AS (exporter, interface1, interface2, list) ->
    (empty(includedEntries(list)) OR
        (has(arrayMap(pair -> pair.1, interfacesIn(includedEntries(list))), exporter)
            AND (has(interfacesIn(includedEntries(list)), (exporter, interface1))
                OR has(interfacesIn(includedEntries(list)), (exporter, interface2)))))
    AND (empty(excludedEntries(list)) OR
        NOT (has(interfacesIn(excludedEntries(list)), (exporter, interface1))
            OR has(interfacesIn(excludedEntries(list)), (exporter, interface2))))
