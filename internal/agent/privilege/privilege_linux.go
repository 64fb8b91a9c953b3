// Package privilege says which capabilities (capabilities(7)) this process has, for error
// messages that tell a missing one from other reasons for the same errno.
package privilege

import "golang.org/x/sys/unix"

// Has tells whether a capability such as unix.CAP_NET_ADMIN is effective.
func Has(capability int) bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	return data[capability/32].Effective&(1<<(capability%32)) != 0
}
