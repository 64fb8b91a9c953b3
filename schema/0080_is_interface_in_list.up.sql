CREATE OR REPLACE FUNCTION isInterfaceInList AS (exporter, interface, list) ->
    (list.3 OR has(list.1, (exporter, interface)))
    AND (empty(list.2) OR NOT has(list.2, (exporter, interface)))
