#!/usr/bin/env bash
# Removes what install.sh has installed.
set -euo pipefail

usage() {
	cat <<'USAGE'
Usage: ./uninstall.sh [OPTION]...

Says what goes and how large it is, asks, and removes it: k3s with everything that runs
in it, kubectl, cue, and /opt/netmeta. A k3s that install.sh has not installed stays, and
so do this checkout and the configuration in it.

  --keep-data   keep the volumes and the database of k3s: flows, queue, accounts,
                certificates. install.sh and cue apply go on from there
  --dry-run     only say what would go
  --yes         do not ask
  --root DIR    take DIR for /
USAGE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
keep="" dry_run="" yes="" sys=""
while (($#)); do
	case $1 in
	--keep-data) keep=yes ;;
	--dry-run) dry_run=yes ;;
	--yes) yes=yes ;;
	--root)
		[[ -n ${2:-} ]] || {
			echo "uninstall.sh: --root needs a directory" >&2
			exit 2
		}
		sys=${2%/}
		shift
		;;
	-h | --help)
		usage
		exit
		;;
	*)
		echo "uninstall.sh: unknown argument $1; see --help" >&2
		exit 2
		;;
	esac
	shift
done

# shellcheck source=scripts/install/places.sh
. "$root/scripts/install/places.sh"

# It may be a link to a larger disk.
k3s_data=$(realpath -m "$k3s_data")
# What is of k3s' data, and what of it --keep-data keeps. The password of the node is
# in the database, too.
volumes=$k3s_data/storage
database=$k3s_data/server
node=$sys/etc/rancher/node

going=()
# goes PATH...: those that are there are to be removed.
goes() {
	local path
	for path; do
		[[ ! -e $path && ! -L $path ]] || going+=("$path")
	done
}

plan() {
	k3s=$(k3s_is)
	[[ ! -L $bin/kubectl || $(readlink "$bin/kubectl") != k3s || $k3s == foreign ]] || goes "$bin/kubectl"
	! is_ours "$bin/cue" || goes "$bin/cue"
	goes "$opt"
	case $k3s in
	foreign)
		echo "note: the k3s that is here is not from install.sh, and stays. What NetMeta has in it goes with: kubectl delete namespace NAMESPACE"
		return
		;;
	ours) goes "$unit" "$bin/k3s" "$k3s_config" ;;
	none) [[ -e $k3s_data ]] || return 0 ;;
	esac
	goes "$sys/etc/rancher/k3s/k3s.yaml" "$sys/run/k3s" "$sys/run/flannel" "$sys/var/lib/cni" "$sys/var/lib/kubelet"
	local path
	for path in "$k3s_data"/*; do
		if [[ -n $keep && ($path == "$volumes" || $path == "$database") ]]; then
			continue
		elif is_mounted "$path"; then # a disk of its own is emptied
			goes "$path"/*
		else
			goes "$path"
		fi
	done
	[[ -n $keep ]] || goes "$node"
}

# is_mounted PATH: whether a disk is mounted there.
is_mounted() {
	awk -v path="$1" '$2 == path {found = 1} END {exit !found}' "$sys/proc/self/mounts"
}

# name_data says what is in the volumes, each by its claim.
name_data() {
	local volume
	for volume in "$volumes"/*; do
		[[ -d $volume ]] || continue
		printf '  %s  %s\n' "$(du -sh "$volume" 2>/dev/null | cut -f 1)" "$(basename "$volume")"
	done
}

# processes prints those of k3s and of containers: programs of its data directory, and
# what is in the control groups of Pods.
processes() {
	local exe
	for exe in "$sys"/proc/[0-9]*/exe; do
		[[ $(readlink "$exe" 2>/dev/null) == "$k3s_data"/data/* ]] && basename "$(dirname "$exe")"
	done
	find "$sys"/sys/fs/cgroup/kubepods* -name cgroup.procs -exec cat {} + 2>/dev/null || true
}

# mounts prints what is mounted below a path, the innermost first.
mounts() {
	awk -v path="$1/" 'index($2 "/", path) == 1 {print $2}' "$sys/proc/self/mounts" | sort -r
}

stop_k3s() {
	systemctl disable --quiet --now k3s 2>/dev/null || true
	local deadline=$((SECONDS + 60)) left signal=TERM path
	while left=$(processes) && [[ -n $left ]]; do
		((SECONDS < deadline)) || fail "these processes of containers do not end: ${left//$'\n'/ }. Restart the machine, and run uninstall.sh again"
		# shellcheck disable=SC2086 # each is a word
		kill -"$signal" $left 2>/dev/null || true
		sleep "${NETMETA_POLL:-2}"
		signal=KILL
	done
	# Volumes are mounted into Pods: what is still mounted would be deleted with them.
	for path in "${going[@]}"; do
		while read -r mounted; do
			umount "$mounted" || fail "$mounted is still in use; restart the machine, and run uninstall.sh again"
		done < <(mounts "$path")
		[[ -z $(mounts "$path") ]] || fail "there is still something mounted below $path; restart the machine, and run uninstall.sh again"
	done
	for interface in cni0 flannel.1 flannel-v6.1; do
		[[ ! -e $sys/sys/class/net/$interface ]] || ip link delete "$interface"
	done
}

plan
if ((${#going[@]} == 0)); then
	say "Nothing of install.sh is here"
	exit
fi
say "This will stop k3s with all that runs in it, and remove"
printf '  %s\n' "${going[@]}"
if [[ $k3s != foreign && -d $k3s_data ]]; then
	if [[ -n $keep ]]; then
		say "It keeps all data, in $database, $volumes and $node:"
	else
		say "All data GOES with it: flows, the queue, accounts and dashboards of Grafana, certificates (--keep-data keeps it):"
	fi
	name_data
fi
say "It leaves $root with your configuration, and rules in the firewall, which go when the machine restarts"
if [[ -n $dry_run ]]; then
	say "Nothing was changed (--dry-run)"
	exit
fi
[[ $(id -u) == 0 ]] || fail "only root can remove it: sudo ./uninstall.sh"
if [[ -n $keep || $k3s == foreign ]]; then
	confirm "Go on? [y/N]" y
else
	confirm "Type 'delete' to go on:" delete
fi
[[ $k3s == foreign ]] || stop_k3s
rm -rf --one-file-system "${going[@]}"
if [[ $k3s != foreign ]]; then
	systemctl daemon-reload
	# Directories in which nothing is left; in others is what install.sh has not made.
	for path in "$(dirname "$k3s_config")" "$sys/etc/rancher/k3s" "$sys/etc/rancher" "$sys/var/lib/rancher/k3s" "$sys/var/lib/rancher"; do
		rmdir "$path" 2>/dev/null || true
	done
fi
say "Done"
