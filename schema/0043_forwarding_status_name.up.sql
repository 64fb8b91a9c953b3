-- IANA IPFIX forwardingStatus: two bits of status, six of reason.
CREATE OR REPLACE FUNCTION forwardingStatusName AS (status) -> transform(status,
    [0, 64, 65, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139, 140, 141, 142, 143, 192, 193, 194, 195],
    ['', 'forwarded', 'forwarded: fragmented', 'forwarded: not fragmented', 'forwarded: tunneled', 'dropped',
     'dropped: ACL deny', 'dropped: ACL drop', 'dropped: unroutable', 'dropped: adjacency',
     'dropped: fragmentation needed but forbidden', 'dropped: bad header checksum', 'dropped: bad total length',
     'dropped: bad header length', 'dropped: bad TTL', 'dropped: policer', 'dropped: WRED', 'dropped: RPF',
     'dropped: for us', 'dropped: bad output interface', 'dropped: hardware', 'consumed', 'consumed: punted to adjacency',
     'consumed: incomplete adjacency', 'consumed: for us'],
    concat(transform(bitShiftRight(status, 6), [1, 2, 3], ['forwarded', 'dropped', 'consumed'], 'unknown'), ': reason ', toString(bitAnd(status, 63))))
