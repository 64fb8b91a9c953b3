#!/usr/bin/env bash
# Prints a configuration to begin with, with random secrets:
#
#   ./example-config.sh > deploy/single-node/config_local.cue
set -euo pipefail
umask 077

# secret prints 32 random bytes in hexadecimal, which need no quoting anywhere.
secret() {
	od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

name=$(hostname -f 2>/dev/null || hostname 2>/dev/null || true)
name=${name,,}
hint=""
if [[ ! $name =~ ^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z]([-a-z0-9]*[a-z0-9])?$ ]]; then
	name=flowmon.example.com
	hint=" // change to the name of this machine"
fi

cat <<CONFIG
package k8s

// All keys are described in doc/configuration.md. Keep this file to yourself.
netmeta: config: {
	grafanaInitialAdminPassword: "$(secret)"
	clickhouseOperatorPassword:  "$(secret)"
	sessionSecret:               "$(secret)"

	publicHostname: "$name"$hint

	letsencryptMode:        "staging"  // change to "production" later, or to "off"
	letsencryptAccountMail: "letsencrypt@${name#*.}" // change to your address
}
CONFIG
