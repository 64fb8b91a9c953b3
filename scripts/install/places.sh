# shellcheck shell=bash disable=SC2034 # those who source it use them
# Where install.sh puts things, and uninstall.sh finds them. Sourced, with $sys set to
# what stands before every path: nothing, or what --root names.

sys=${sys:-}
bin=$sys/usr/local/bin
opt=$sys/opt/netmeta
unit=$sys/etc/systemd/system/k3s.service
k3s_config=$sys/etc/rancher/k3s/config.yaml.d/netmeta.yaml
k3s_data=$sys/var/lib/rancher/k3s
k3s_images=$k3s_data/agent/images/netmeta-k3s-images.tar.zst

# What install.sh has written says so in a line of it.
mark="Written by NetMeta's install.sh"

is_ours() {
	[[ -f $1 ]] && grep -qF "$mark" "$1"
}

# k3s_is prints none, ours, or foreign.
k3s_is() {
	if is_ours "$unit"; then
		echo ours
	elif [[ -e $unit || -e $bin/k3s || -e $sys/etc/systemd/system/k3s-agent.service ]]; then
		echo foreign
	else
		echo none
	fi
}

fail() {
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

say() {
	printf '==> %s\n' "$*"
}

# confirm QUESTION ANSWER asks, unless --yes has been given.
confirm() {
	[[ -z $yes ]] || return 0
	[[ -t 0 ]] || fail "this is not a terminal that could be asked: give --yes to go on, or --dry-run to only look"
	local answer
	read -r -p "$1 " answer
	[[ ${answer,,} == "$2" ]] || fail "stopped; nothing was changed"
}
