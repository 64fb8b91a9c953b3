-- Functions that it calls are part of it since it was made, so it is made anew.
-- As protocolList, of pairs of an exporter and the ifIndex of an interface; at last, the exporters
-- of those that are included.
CREATE OR REPLACE FUNCTION interfaceList AS (list) ->
    (interfacesIn(includedEntries(list)), interfacesIn(excludedEntries(list)), empty(includedEntries(list)),
    arrayMap(pair -> pair.1, interfacesIn(includedEntries(list))))
