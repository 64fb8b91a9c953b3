CREATE OR REPLACE FUNCTION trafficDirection AS (exporter, inputInterface, outputInterface, source, destination, sourceAS, destinationAS) ->
    arrayMap(
        boundary -> multiIf(
            boundary.1 = 'external' AND boundary.2 = 'external', 'transit',
            boundary.1 = 'external', 'in',
            boundary.2 = 'external', 'out',
            boundary.1 = 'internal' AND boundary.2 = 'internal', 'internal',
            boundary.3 = 'internal' AND boundary.4 = 'internal', 'internal',
            boundary.4 = 'internal', 'in',
            boundary.3 = 'internal', 'out',
            boundary.3 = 'external' AND boundary.4 = 'external', 'transit',
            ''),
        [(
            interfaceBoundary(exporter, inputInterface), interfaceBoundary(exporter, outputInterface),
            addressBoundary(source, sourceAS), addressBoundary(destination, destinationAS)
        )])[1]
