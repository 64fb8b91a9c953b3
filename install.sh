#!/usr/bin/env bash
# Installs what NetMeta runs on, on one machine: k3s, kubectl, cue, and the operators.
set -euo pipefail

usage() {
	cat <<'USAGE'
Usage: ./install.sh [OPTION]...
       ./install.sh check [OPTION]...
       ./install.sh list [--architecture ARCH]
       ./install.sh fetch DIR [--architecture ARCH]

Checks this machine, says what it will do, asks, and does it: k3s as a service, kubectl
and cue in /usr/local/bin, the release files of the operators in .build of this
checkout. cue is built from Go modules, by a Go that is here if it is recent enough, and
else by one that is unpacked into /opt/netmeta. What is there already stays as it is;
where all is there, nothing is done.

  check   only check the machine
  list    what would be downloaded, with addresses and SHA-256
  fetch   download it into DIR, for a machine without internet

  --dry-run             only say what is wrong with the machine and what would be done
  --yes                 do not ask
  --offline DIR         download nothing, and take what fetch has put into DIR
  --keep-k3s            leave k3s alone: it is here already, or the cluster is elsewhere
  --group GROUP         let members of GROUP use kubectl, which makes them masters of
                        the cluster; without, only root
  --skip-check CHECK    do not insist on what a check says; each says its name
  --architecture ARCH   amd64 or arm64 (default: that of this machine)
  --root DIR            take DIR for /

uninstall.sh removes all of it. doc/operator.md says more.
USAGE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command=install directory="" dry_run="" yes="" offline="" with_k3s=yes group="" skipped="" architecture="" sys=""

value() {
	[[ $# -ge 2 && -n $2 ]] || {
		echo "install.sh: $1 needs a value; see --help" >&2
		exit 2
	}
}

case ${1:-} in
check | list)
	command=$1
	shift
	;;
fetch)
	value fetch "${2:-}"
	command=fetch directory=$2
	shift 2
	;;
esac
while (($#)); do
	case $1 in
	--dry-run) dry_run=yes ;;
	--yes) yes=yes ;;
	--keep-k3s) with_k3s="" ;;
	--offline) value "$@" && offline=$2 && shift ;;
	--group) value "$@" && group=$2 && shift ;;
	--skip-check) value "$@" && skipped+=" $2" && shift ;;
	--architecture) value "$@" && architecture=$2 && shift ;;
	--root) value "$@" && sys=${2%/} && shift ;;
	-h | --help)
		usage
		exit
		;;
	*)
		echo "install.sh: unknown argument $1; see --help" >&2
		exit 2
		;;
	esac
	shift
done

# shellcheck source=scripts/install/places.sh
. "$root/scripts/install/places.sh"
# shellcheck source=scripts/install/files.sh
. "$root/scripts/install/files.sh"
# shellcheck source=scripts/install/machine.sh
. "$root/scripts/install/machine.sh"
# shellcheck source=scripts/install/k3s.sh
. "$root/scripts/install/k3s.sh"
# shellcheck source=scripts/install/cue.sh
. "$root/scripts/install/cue.sh"

[[ -z $offline || -d $offline ]] || fail "--offline $offline: there is no such directory"
[[ -z $group ]] || [[ $group =~ ^[a-z_][a-z0-9_-]*$ ]] || fail "--group $group: not the name of a group"
[[ -z $group ]] || grep -q "^$group:" "$sys/etc/group" || fail "--group $group: there is no such group; groupadd $group makes it"
architecture=${architecture:-$(machine_architecture)}
steps=() texts=() needed=()

# step FUNCTION TEXT plans it.
step() {
	steps+=("$1")
	texts+=("$2")
}

# need NAME plans to get a file, before any step.
need() {
	needed+=("$1")
}

# put FILE PLACE MODE writes a file as a whole or not at all.
put() {
	mkdir -p "$(dirname "$2")"
	cat "$1" >"$2.new"
	chmod "$3" "$2.new"
	mv "$2.new" "$2"
	! command -v restorecon >/dev/null || restorecon "$2"
}

make_stage() {
	mkdir -p "$sys/var/tmp"
	stage=$(mktemp -d "$sys/var/tmp/netmeta-install.XXXXXX")
	trap 'rm -rf "$stage"' EXIT
}

plan_kubectl() {
	if [[ $(readlink "$bin/kubectl") == k3s ]]; then
		return
	elif [[ -e $bin/kubectl ]] || command -v kubectl >/dev/null; then
		advice "there is another kubectl, which stays. It finds this cluster with" "export KUBECONFIG=/etc/rancher/k3s/k3s.yaml"
		return
	fi
	step put_kubectl "make $bin/kubectl, a link to k3s"
}

put_kubectl() {
	mkdir -p "$bin"
	ln -s k3s "$bin/kubectl"
}

plan_operators() {
	"$root/scripts/operators.sh" print >/dev/null 2>&1 ||
		step put_operators "put the release files of the operators of Kafka and ClickHouse into $root/.build/operators"
}

put_operators() {
	local from=()
	[[ -z $offline ]] || from=(--from "$offline/operators")
	"$root/scripts/operators.sh" fetch "${from[@]}"
	chown --reference="$root" "$root/.build"
	chown -R --reference="$root" "$root/.build/operators"
}

install() {
	local name i
	check_machine
	plan_operators
	plan_cue
	# What may be refused comes before k3s, which cannot be taken back as easily.
	local before=("${steps[@]}") before_texts=("${texts[@]}")
	steps=() texts=()
	if [[ -n $with_k3s ]]; then
		plan_k3s
		plan_kubectl
	fi
	steps=("${before[@]}" "${steps[@]}") texts=("${before_texts[@]}" "${texts[@]}")

	if ((${#steps[@]} == 0)); then
		((problems == 0)) || fail "all is installed already, but this machine has a problem: see above"
		say "All is installed already; nothing to do"
		return
	fi
	say "This will"
	for name in "${needed[@]}"; do
		if [[ -n $offline ]]; then
			printf '  - take %s from %s\n' "$(name_of "$name")" "$offline"
		else
			printf '  - download %s\n' "$(address_of "$name")"
		fi
	done
	printf '  - %s\n' "${texts[@]}"
	echo "and touch nothing else, but for $sys/var/tmp/netmeta-install.*, which goes at the end."
	((problems == 0)) || fail "$problems of the checks failed: see PROBLEM above. Mend them, or skip a check that is mistaken with --skip-check and its name. Nothing was changed"
	if [[ -n $dry_run ]]; then
		say "Nothing was changed (--dry-run)"
		return
	fi
	confirm "Go on? [y/N]" y

	make_stage
	for name in "${needed[@]}"; do
		obtain "$name" "$stage"
	done
	for i in "${!steps[@]}"; do
		say "${texts[i]^}"
		"${steps[i]}"
	done
	say "Done. Next: ./example-config.sh > deploy/single-node/config_local.cue, scripts/build_containers.sh, and cue apply ./... in deploy/single-node (doc/operator.md)"
}

case $command in
install)
	[[ $(machine_architecture) == "$architecture" ]] || fail "--architecture $architecture is for list and fetch: this machine is $(machine_architecture)"
	install
	;;
check)
	check_machine
	((problems == 0)) || fail "$problems of the checks failed: see PROBLEM above"
	say "This machine will do"
	;;
list) list ;;
fetch)
	[[ $architecture == amd64 || $architecture == arm64 ]] || fail "--architecture $architecture: amd64 or arm64"
	make_stage
	fetch "$directory"
	;;
esac
