-- Commas are what separates the entries of a list.
CREATE OR REPLACE FUNCTION interfaceLabel AS (exporter, number) ->
    concat(addressToString(toIPv6(exporter)), '/', toString(number),
        if(dictGet('InterfaceNames', 'Name', (toIPv6(exporter), toUInt32(number))) IN ('', toString(number)), '',
            concat(': ', replaceAll(dictGet('InterfaceNames', 'Name', (toIPv6(exporter), toUInt32(number))), ',', ';'))))
