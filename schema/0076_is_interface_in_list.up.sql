CREATE OR REPLACE FUNCTION isInterfaceInList AS (exporter, interface, list) ->
    (empty(includedEntries(list)) OR has(interfacesIn(includedEntries(list)), (exporter, interface)))
    AND (empty(excludedEntries(list)) OR NOT has(interfacesIn(excludedEntries(list)), (exporter, interface)))
