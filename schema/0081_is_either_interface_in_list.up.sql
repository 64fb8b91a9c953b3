-- The exporter for itself is what the order of flows_raw begins with; of two pairs, only one could
-- be looked up in it.
CREATE OR REPLACE FUNCTION isEitherInterfaceInList AS (exporter, interface1, interface2, list) ->
    (list.3 OR (has(list.4, exporter) AND (has(list.1, (exporter, interface1)) OR has(list.1, (exporter, interface2)))))
    AND (empty(list.2) OR NOT has(list.2, (exporter, interface1)) AND NOT has(list.2, (exporter, interface2)))
