// Package buildinfo says which NetMeta a binary is.
package buildinfo

import "runtime/debug"

// Version is the module's version, or the commit that the binary was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}
