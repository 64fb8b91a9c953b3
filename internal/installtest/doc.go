// Package installtest tests install.sh and uninstall.sh: it runs them as they are, on a
// machine that is a directory (--root), with a local server in place of the downloads
// and small programs in place of what would change the machine that the tests run on.
package installtest
