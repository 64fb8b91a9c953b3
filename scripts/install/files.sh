# shellcheck shell=bash disable=SC2154 # install.sh sets what is not set here
# Gets files and checks them. Sourced by install.sh.

files=$root/scripts/install/files.tsv

# field NAME NUMBER prints a field of the row of a file, for $architecture.
field() {
	awk -F '\t' -v name="$1" -v arch="$architecture" -v n="$2" '$1 == name && $3 == arch {print $n}' "$files"
}

version_of() { field "$1" 2; }
address_of() { field "$1" 4; }
sum_of() { field "$1" 5; }

# name_of NAME prints what the file is called in a directory for --offline.
name_of() {
	echo "$1-$(version_of "$1")-$architecture"
}

sum() {
	sha256sum <"$1" | cut -c 1-64
}

# obtain NAME DIRECTORY gets a file into DIRECTORY/NAME, from --offline or its address.
obtain() {
	local file=$2/$1 from got
	if [[ -n $offline ]]; then
		from=$offline/$(name_of "$1")
		[[ -f $from ]] || fail "$from is missing: make the directory with './install.sh fetch $offline --architecture $architecture' where there is internet"
		cp "$from" "$file"
	else
		from=$(address_of "$1")
		say "Fetching $from"
		curl -fsSL --retry 3 --connect-timeout 20 -o "$file" "$from" ||
			fail "could not fetch $from. Is there a proxy to set (https_proxy), or no internet (see --offline)? Nothing was changed"
	fi
	got=$(sum "$file")
	if [[ $got != "$(sum_of "$1")" ]]; then
		rm -f "$file"
		fail "$from is not the file that is expected: its SHA-256 is $got, and scripts/install/files.tsv has $(sum_of "$1"). It was deleted, and nothing was changed. Try again; if it stays so, somebody has changed the file, here or there"
	fi
}

# unpack_go ARCHIVE DIRECTORY makes a Go toolchain of its archive.
unpack_go() {
	rm -rf "$2.new"
	mkdir -p "$2.new"
	tar -xzf "$1" -C "$2.new" --strip-components=1 --no-same-owner || fail "could not unpack $1"
	mv "$2.new" "$2"
}

# wanted_go prints the oldest Go that will do, as go.mod says.
wanted_go() {
	sed -n 's/^go //p' "$root/go.mod"
}

# find_go prints the path of a Go that is recent enough, if there is one.
find_go() {
	local candidate version
	for candidate in "$(command -v go || true)" "$sys/usr/local/go/bin/go" "$opt"/go*/bin/go; do
		[[ -x $candidate ]] || continue
		# Go would count its calls in a directory of the user's.
		version=$(cd / && GOTOOLCHAIN=local XDG_CONFIG_HOME=/dev/null "$candidate" env GOVERSION 2>/dev/null) || continue
		if printf 'go%s\n%s\n' "$(wanted_go)" "$version" | sort --check=quiet --version-sort; then
			echo "$candidate"
			return
		fi
	done
	return 1
}

# with_go GO COMMAND... runs it with caches of its own, which go with $stage, and what the
# user has set by go env -w.
with_go() {
	local go=$1 proxy=()
	[[ -z $offline ]] || proxy=(GOPROXY="file://$(realpath "$offline")/modules/cache/download,off")
	env XDG_CONFIG_HOME=/dev/null GOENV="${GOENV:-${XDG_CONFIG_HOME:-${HOME:-/root}/.config}/go/env}" \
		GOTOOLCHAIN=local GOFLAGS=-modcacherw GOCACHE="$stage/go-build" GOMODCACHE="$stage/modules" \
		CGO_ENABLED=0 "${proxy[@]}" "$go" "${@:2}"
}

# list prints what is fetched, and from where.
list() {
	local name
	for name in k3s k3s-images go; do
		printf '%s\t%s\t%s\n' "$(name_of "$name")" "$(address_of "$name")" "$(sum_of "$name")"
	done
	"$root/scripts/operators.sh" list | while read -r address; do
		printf 'operators/%s\t%s\tin scripts/operators.tsv\n' "$(basename "$address")" "$address"
	done
	printf 'modules\tthe Go modules of go.mod, scripts/containers/go.mod and toolbox/go.mod\tin go.sum\n'
}

# fetch DIRECTORY fills a directory for --offline.
fetch() {
	local directory=$1 name kept go address
	mkdir -p "$directory/operators"
	directory=$(realpath "$directory")
	for name in k3s k3s-images go; do
		kept=$directory/$(name_of "$name")
		[[ -f $kept && $(sum "$kept") == "$(sum_of "$name")" ]] && continue
		obtain "$name" "$stage"
		mv "$stage/$name" "$kept"
	done
	"$root/scripts/operators.sh" fetch
	"$root/scripts/operators.sh" list | while read -r address; do
		cp "$root"/.build/operators/*/"$(basename "$address")" "$directory/operators/"
	done
	if ! go=$(find_go); then
		[[ $architecture == "$(machine_architecture)" ]] ||
			fail "fetching Go modules needs Go $(wanted_go) or newer here: see https://go.dev/doc/install"
		unpack_go "$directory/$(name_of go)" "$stage/go"
		go=$stage/go/bin/go
	fi
	say "Fetching Go modules"
	for name in . scripts/containers toolbox; do
		(cd "$root/$name" && with_go "$go" mod download) || fail "could not fetch the Go modules of $name/go.mod"
	done
	mkdir -p "$directory/modules/cache"
	rm -rf "$directory/modules/cache/download"
	cp -r "$stage/modules/cache/download" "$directory/modules/cache/download"
	say "All is in $directory; on the machine without internet: ./install.sh --offline $directory"
}
