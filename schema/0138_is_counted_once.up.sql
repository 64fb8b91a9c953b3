-- Of an exporter that samples on both sides, what leaves is counted as it comes in by an interface that
-- is known to be internal; otherwise as it leaves. What others send through is counted as it comes in.
CREATE OR REPLACE FUNCTION isCountedOnce AS (exporter, inputInterface, outputInterface, flowDirection, source, sourceAS) ->
    multiIf(
        interfaceBoundary(exporter, inputInterface) = 'external', flowDirection = 0,
        interfaceBoundary(exporter, outputInterface) = 'external' AND addressBoundary(source, sourceAS) != 'external',
            flowDirection = (interfaceBoundary(exporter, inputInterface) = ''),
        0)
