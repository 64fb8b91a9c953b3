package netflow

// vendorField is a field that a vendor has defined: in IPFIX under its number in
// IANA's registry "Private Enterprise Numbers", in NetFlow v9, which has none, by a
// field type beyond the registered ones.
type vendorField struct {
	version    uint16
	enterprise uint32
	id         uint16
}

// Private enterprise numbers of vendors whose fields are read.
const (
	enterpriseIxia    = 3054
	enterpriseProcera = 15397
	enterpriseNtop    = 35632
)

// vendorFields are the elements that vendors' fields mean the same as, where vendors
// send them instead. doc/protocols.md lists them.
var vendorFields = map[vendorField]uint16{
	// Cisco's ASA (NSEL), from before the registered elements.
	{9, 0, 40001}: 225, // NF_F_XLATE_SRC_ADDR_IPV4
	{9, 0, 40002}: 226, // NF_F_XLATE_DST_ADDR_IPV4
	{9, 0, 40003}: 227, // NF_F_XLATE_SRC_PORT
	{9, 0, 40004}: 228, // NF_F_XLATE_DST_PORT
	{9, 0, 40005}: 233, // NF_F_FW_EVENT

	{9, 0, 56701}: 96, // App-ID of Palo Alto's PAN-OS

	// nProbe, whose field types begin at 57472 in NetFlow v9.
	{9, 0, 57591}:              96, // L7_PROTO_NAME
	{10, enterpriseNtop, 119}:  96,
	{10, enterpriseIxia, 110}:  95,  // L7 application id
	{10, enterpriseIxia, 111}:  96,  // and name
	{10, enterpriseProcera, 1}: 96,  // service
	{10, enterpriseProcera, 3}: 231, // incoming octets
	{10, enterpriseProcera, 4}: 232, // outgoing octets
	{10, enterpriseProcera, 5}: 298, // incoming packets
	{10, enterpriseProcera, 6}: 299, // outgoing packets
}
