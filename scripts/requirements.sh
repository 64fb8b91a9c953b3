# shellcheck shell=bash
# What the other scripts need on the machine, each installed by a function that
# does nothing where it is there already. Sourced, from the top of the repository.

go_version=1.26

fail() {
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

say() {
	printf '\033[1m==> %s\033[0m\n' "$*" >&2
}

# as_root runs a command as root: directly, or by sudo.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		fail "needs root for: $* (there is no sudo; run that as root, then try again)"
	fi
}

# need_packages COMMAND:PACKAGE[,PACKAGE]... installs the Debian packages of each
# command that is missing.
need_packages() {
	local pair packages missing=()
	for pair in "$@"; do
		command -v "${pair%%:*}" >/dev/null && continue
		IFS=, read -ra packages <<<"${pair#*:}"
		missing+=("${packages[@]}")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	command -v apt-get >/dev/null ||
		fail "please install these with your system's package manager (Debian's names): ${missing[*]}"
	say "Installing Debian packages: ${missing[*]}"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >&2
}

# need_python_modules MODULE:PACKAGE... installs the Debian packages of modules that the
# system's Python does not have.
need_python_modules() {
	local pair
	for pair in "$@"; do
		/usr/bin/python3 -c "import ${pair%%:*}" 2>/dev/null || need_packages "no command:${pair#*:}"
	done
}

need_go() {
	local go have=""
	# The last is what install.sh has unpacked.
	for go in go /usr/local/go/bin/go /opt/netmeta/go*/bin/go; do
		command -v "$go" >/dev/null || continue
		have=$("$go" env GOVERSION)
		if printf 'go%s\n%s\n' "$go_version" "$have" | sort --check=quiet --version-sort; then
			[ "$go" = go ] || PATH=$(dirname "$go"):$PATH
			return
		fi
	done
	fail "Go $go_version or newer is needed, and ${have:-none} is here: see https://go.dev/doc/install, or run install.sh"
}

# need_libchdb installs the ClickHouse engine as a shared library, at the version
# and with the checksum of scripts/libchdb/package-lock.json.
need_libchdb() {
	local dir=scripts/libchdb
	cmp -s "$dir/package-lock.json" "$dir/node_modules/.installed-lock.json" && return 0
	need_packages npm:npm
	say "Downloading the ClickHouse engine (libchdb, 150 MB)"
	npm ci --prefix "$dir" --ignore-scripts --no-audit --no-fund >&2
	cp "$dir/package-lock.json" "$dir/node_modules/.installed-lock.json"
}
