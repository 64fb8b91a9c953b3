package generate

// Interface is an interface that every synthetic exporter has.
type Interface struct {
	Index uint32 // ifIndex
	Name  string
	Role  string // transit, peering or customer
	VLAN  uint32 // 802.1Q tag of its packets, 0 for an untagged one
}

// Interfaces returns the interfaces of the synthetic exporters. Flows are sampled on
// transit and peering interfaces, in both directions.
func Interfaces() []Interface {
	return []Interface{
		{Index: 1, Name: "transit-a", Role: "transit"},
		{Index: 2, Name: "transit-b", Role: "transit"},
		{Index: 3, Name: "ix-north", Role: "peering", VLAN: 600},
		{Index: 4, Name: "ix-south", Role: "peering", VLAN: 601},
		{Index: 5, Name: "customer-access", Role: "customer", VLAN: 105},
		{Index: 6, Name: "customer-hosting", Role: "customer", VLAN: 106},
		{Index: 7, Name: "customer-mobile", Role: "customer", VLAN: 107},
		{Index: 8, Name: "customer-campus", Role: "customer", VLAN: 108},
	}
}

// ownAS is the AS that the exporters belong to.
const ownAS = 64500

var (
	transitPorts = []uint32{1, 2}
	peeringPorts = []uint32{3, 4}

	// neighbourAS is the AS behind an interface that has only one neighbour. Peers
	// and customers are their own neighbour.
	neighbourAS = [9]uint32{1: 64501, 2: 64502}

	// vlans is Interfaces by ifIndex, for drawing.
	vlans = func() (v [9]uint32) {
		for _, i := range Interfaces() {
			v[i.Index] = i.VLAN
		}
		return v
	}()
)
