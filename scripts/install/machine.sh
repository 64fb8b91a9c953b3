# shellcheck shell=bash disable=SC2154 # install.sh sets what is not set here
# Checks whether k3s and NetMeta can run on this machine. Sourced by install.sh.

problems=0

indent() {
	sed 's/^/    /'
}

is_active() {
	systemctl is-active --quiet "$1" 2>/dev/null
}

# problem CHECK WHAT MEND says what is wrong and what to do, unless the check is skipped.
problem() {
	if [[ " $skipped " == *" $1 "* ]]; then
		printf 'skipped: %s\n' "$2"
		return
	fi
	problems=$((problems + 1))
	printf 'PROBLEM (%s): %s\n' "$1" "$2"
	indent <<<"$3"
}

advice() {
	printf 'note: %s\n' "$1"
	[[ $# -lt 2 ]] || indent <<<"$2"
}

# machine_architecture prints amd64 or arm64, or what else the machine is.
machine_architecture() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	aarch64 | arm64) echo arm64 ;;
	*) uname -m ;;
	esac
}

# of_release KEY prints a value of /etc/os-release.
of_release() {
	# shellcheck source=/dev/null
	(. "$sys/etc/os-release" 2>/dev/null && eval "echo \${$1:-}")
}

# installs PACKAGE prints the command that installs it.
installs() {
	if command -v dnf >/dev/null; then
		echo "dnf install -y $1"
	else
		echo "apt-get install -y $1"
	fi
}

check_system() {
	local id version
	id=$(of_release ID)
	version=$(of_release VERSION_ID)
	case $id:${version%%.*} in
	debian:12 | debian:13 | ubuntu:22 | ubuntu:24 | fedora:*) ;;
	rhel:8 | rhel:9 | rhel:10 | rocky:8 | rocky:9 | rocky:10 | almalinux:8 | almalinux:9 | almalinux:10 | centos:9 | centos:10) ;;
	*)
		problem system "this is ${id:-an unknown system} $version; NetMeta is made for Debian 12 and 13, Ubuntu 22.04 and 24.04, RHEL and Rocky 8 to 10, and Fedora" \
			"Other systems with systemd and cgroups v2 may well do: --skip-check system."
		;;
	esac
	case $(machine_architecture) in
	amd64 | arm64) ;;
	*) problem system "the processor is $(uname -m), and there is no k3s for it" "Use a machine of the architecture x86_64 or aarch64." ;;
	esac
	[[ -d $sys/run/systemd/system ]] ||
		problem system "systemd does not run here, which is to start k3s" "In a container? Install on the machine itself, or use a cluster that is there (doc/operator.md)."
}

check_root() {
	[[ $(id -u) == 0 ]] ||
		problem root "only root can install k3s" "Run: sudo ./install.sh (with --dry-run it only says what it would do)"
}

check_tools() {
	local tool packages=() wanted=(sha256sum:coreutils awk:gawk)
	[[ -n $offline ]] || wanted+=(curl:curl)
	find_go >/dev/null || wanted+=(tar:tar gzip:gzip)
	for tool in "${wanted[@]}"; do
		command -v "${tool%%:*}" >/dev/null || packages+=("${tool#*:}")
	done
	[[ ${#packages[@]} == 0 ]] || problem tools "not installed: ${packages[*]}" "$(installs "${packages[*]}")"
}

check_memory() {
	local mib
	mib=$(awk '$1 == "MemTotal:" {print int($2 / 1024)}' "$sys/proc/meminfo")
	if ((mib < 7500)); then
		problem memory "there are $mib MiB of memory, and NetMeta with k3s needs 8 GiB at the least, 16 GiB as it is configured" \
			"Give the machine more memory."
	elif ((mib < 14000)); then
		advice "there are $mib MiB of memory. As it is configured, NetMeta asks for 16 GiB; give ClickHouse less in deploy/single-node/config_local.cue:" \
			'netmeta: config: memory: clickhouse: "2Gi"'
	fi
}

check_disk() {
	local place=$k3s_data free
	until [[ -d $place ]]; do place=$(dirname "$place"); done
	free=$(df -Pk "$place" | awk 'NR == 2 {print int($4 / 1048576)}')
	if ((free < 20)); then
		problem disk "$place has $free GiB free, and images and the queue alone take 20" \
			"Free some, or mount a larger disk on $k3s_data."
	elif ((free < 130)); then
		advice "$place has $free GiB free. Volumes are not limited on k3s: see to flowRetention, or flows fill the disk (131 GiB are asked for)"
	fi
}

check_cgroups() {
	local controllers=$sys/sys/fs/cgroup/cgroup.controllers missing="" controller how
	how="sed -i 's/^GRUB_CMDLINE_LINUX=\"/&systemd.unified_cgroup_hierarchy=1 /' /etc/default/grub && update-grub"
	! command -v grubby >/dev/null || how='grubby --update-kernel=ALL --args="systemd.unified_cgroup_hierarchy=1"'
	if [[ ! -e $controllers ]]; then
		problem cgroups "cgroups are of version 1, and Kubernetes needs version 2" "$how
reboot"
		return
	fi
	for controller in cpu memory pids; do
		grep -qw "$controller" "$controllers" || missing+=" $controller"
	done
	[[ -z $missing ]] || problem cgroups "the kernel does not control this by cgroup:$missing" \
		"Add to the kernel's command line, and reboot: cgroup_enable=memory (on a Raspberry Pi, in /boot/firmware/cmdline.txt)"
}

check_modules() {
	local module missing=""
	for module in overlay br_netfilter vxlan; do
		[[ -e $sys/sys/module/$module ]] || modprobe --dry-run --quiet "$module" 2>/dev/null || missing+=" $module"
	done
	[[ -z $missing ]] || problem modules "the kernel lacks:$missing" \
		"Restart the machine, in case an update has replaced its kernel. Otherwise, on RHEL, Rocky and Fedora: dnf install -y kernel-modules-extra; on Ubuntu: apt-get install -y linux-modules-extra-$(uname -r), and restart it."
}

# is_taken PROTOCOL PORT: whether somebody listens on it, by IPv4 or IPv6.
is_taken() {
	local state=0A table tables=()
	[[ $1 == tcp ]] || state=07
	for table in "$sys/proc/net/$1" "$sys/proc/net/${1}6"; do
		[[ ! -r $table ]] || tables+=("$table")
	done
	awk -v port="$(printf ':%04X' "$2")" -v state="$state" \
		'substr($2, length($2) - 4) == port && $4 == state {found = 1} END {exit !found}' "${tables[@]}"
}

check_ports() {
	! is_active k3s || return 0
	local port taken="" how="See who it is (ss -lntup), and stop it."
	for port in tcp/80 tcp/443 udp/2055 udp/2056 udp/6343; do
		! is_taken "${port%/*}" "${port#*/}" || taken+=" $port"
	done
	[[ -z $taken ]] || problem ports "taken by another program, and NetMeta wants them:$taken" \
		"$how Or set others in the configuration (ports), and add --skip-check ports."
	taken=""
	for port in tcp/6443 tcp/6444 tcp/10250 udp/8472; do
		! is_taken "${port%/*}" "${port#*/}" || taken+=" $port"
	done
	[[ -z $taken ]] || problem kubernetes-ports "taken by another program, and k3s needs them:$taken" "$how"
}

check_selinux() {
	command -v getenforce >/dev/null && [[ $(getenforce) == Enforcing ]] || return 0
	rpm -q --quiet k3s-selinux 2>/dev/null && return 0
	local release=centos/9
	case $(of_release ID):$(of_release VERSION_ID) in fedora:* | *:8*) release=centos/8 ;; esac
	problem selinux "SELinux is enforcing, and its rules for k3s are not installed" "cat > /etc/yum.repos.d/rancher-k3s-common.repo <<REPO
[rancher-k3s-common-stable]
name=Rancher K3s Common (stable)
baseurl=https://rpm.rancher.io/k3s/stable/common/$release/noarch
gpgcheck=1
gpgkey=https://rpm.rancher.io/public.key
REPO
dnf install -y k3s-selinux"
}

check_network_manager() {
	! systemctl is-enabled --quiet nm-cloud-setup.service 2>/dev/null ||
		problem network-manager "nm-cloud-setup changes routes, which takes Pods off the network" \
			"systemctl disable --now nm-cloud-setup.service nm-cloud-setup.timer
reboot"
}

# drops RULES: whether input or forward drop by default. Forward of iptables, which Docker
# sets so, is no matter: k3s adds what it needs there.
drops() {
	awk '/^table/ {table = $2 " " $3}
		/hook input .*policy drop/ {found = 1}
		/hook forward .*policy drop/ && table !~ /^ip6? filter$/ {found = 1}
		END {exit !found}' <<<"$1"
}

# check_firewall looks whether Pods may reach the machine. Who may reach NetMeta from
# outside is for people to say.
check_firewall() {
	local status rules
	if is_active firewalld; then
		firewall-cmd --get-zone-of-interface=cni0 2>/dev/null | grep -qv '^no zone' ||
			firewall-cmd --zone=trusted --query-source=10.42.0.0/16 >/dev/null 2>&1 ||
			problem firewall "firewalld keeps Pods from reaching this machine and each other" "firewall-cmd --permanent --zone=trusted --add-source=10.42.0.0/16
firewall-cmd --permanent --zone=trusted --add-source=10.43.0.0/16
firewall-cmd --reload
Who may send flows and see the frontend: doc/firewall.md."
	elif status=$(ufw status 2>/dev/null) && [[ $status == *"Status: active"* ]]; then
		[[ $status == *10.42.0.0/16* ]] ||
			problem firewall "ufw keeps Pods from reaching this machine and each other" "ufw allow from 10.42.0.0/16
ufw allow from 10.43.0.0/16
ufw route allow in on cni0
ufw route allow out on cni0
Who may send flows and see the frontend: doc/firewall.md."
	elif rules=$(nft list ruleset 2>/dev/null) && drops "$rules"; then
		[[ $rules == *cni0* || $rules == *10.42.0.0/16* ]] ||
			problem firewall "nftables drops what is not allowed, and nothing allows Pods" "Add to the chains with 'policy drop', for input and forward, and in the file that they come from (often /etc/nftables.conf):
iifname \"cni0\" accept
and to those of forward and output also:
oifname \"cni0\" accept"
	else
		advice "no firewall was found on this machine. Flow protocols have no authentication: see doc/firewall.md"
	fi
}

check_machine() {
	[[ -n $dry_run ]] || check_root
	check_system
	check_tools
	check_memory
	check_disk
	[[ -z $with_k3s ]] || {
		check_cgroups
		check_modules
		check_selinux
		check_network_manager
	}
	check_ports
	check_firewall
}
