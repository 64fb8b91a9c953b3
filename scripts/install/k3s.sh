# shellcheck shell=bash disable=SC2154 # install.sh sets what is not set here
# Installs k3s as a service. Sourced by install.sh.

# k3s_settings prints its configuration, beside which others may stand.
k3s_settings() {
	cat <<SETTINGS
# $mark; others may stand beside it in files of their own.
# NetMeta brings its own Traefik.
disable:
  - traefik
# Secrets are encrypted in k3s' database.
secrets-encryption: true
SETTINGS
	if [[ -n $group ]]; then
		printf 'write-kubeconfig-mode: "0640"\nwrite-kubeconfig-group: "%s"\n' "$group"
	else
		printf 'write-kubeconfig-mode: "0600"\n'
	fi
	cat <<'SETTINGS'
kube-controller-manager-arg:
  - bind-address=127.0.0.1
kube-scheduler-arg:
  - bind-address=127.0.0.1
# On a large disk, much is free when a tenth is: Pods need not go then.
kubelet-arg:
  - eviction-hard=memory.available<100Mi,nodefs.available<1%,imagefs.available<1%,nodefs.inodesFree<1%
  - eviction-minimum-reclaim=nodefs.available=1%,imagefs.available=1%
SETTINGS
	if command -v getenforce >/dev/null && [[ $(getenforce) == Enforcing ]]; then
		echo 'selinux: true'
	fi
}

# k3s_unit prints the service. Containers outlive it, so that k3s can be replaced.
k3s_unit() {
	cat <<UNIT
# $mark; put changes into k3s.service.d.
[Unit]
Description=Kubernetes (k3s) for NetMeta
Documentation=https://docs.k3s.io
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
# A proxy for downloads goes here, as HTTPS_PROXY=...
EnvironmentFile=-/etc/default/k3s
EnvironmentFile=-/etc/sysconfig/k3s
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/local/bin/k3s server
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s

[Install]
WantedBy=multi-user.target
UNIT
}

# k3s_version prints the version of the k3s that is here.
k3s_version() {
	"$bin/k3s" --version 2>/dev/null | sed -n 's/^k3s version \([^ ]*\).*/\1/p'
}

# minor VERSION prints 36 of v1.36.4+k3s1.
minor() {
	local rest=${1#v1.}
	echo "${rest%%.*}"
}

plan_k3s() {
	local wanted have
	wanted=$(version_of k3s)
	case $(k3s_is) in
	foreign)
		fail "there is a k3s here that install.sh has not installed ($bin/k3s, $unit). To use it as it is: --keep-k3s. To have NetMeta's: remove it first (k3s-uninstall.sh, which deletes its data)"
		;;
	ours)
		if [[ ! -x $bin/k3s || $(sum "$bin/k3s") != "$(sum_of k3s)" ]]; then
			have=$(k3s_version)
			if [[ $have == v1.* ]] && (($(minor "$wanted") < $(minor "$have"))); then
				fail "k3s $have is here, and this NetMeta brings the older $wanted: Kubernetes does not go back. Take a newer NetMeta, or --keep-k3s"
			elif [[ $have == v1.* ]] && (($(minor "$wanted") > $(minor "$have") + 1)); then
				fail "k3s $have is here, and $wanted is more than one minor version ahead, which Kubernetes does not allow. Install a NetMeta from in between first, or bring k3s to 1.$(($(minor "$wanted") - 1)) and use --keep-k3s until then"
			fi
			need k3s
			step put_k3s "replace k3s ${have:-that is broken} in $bin/k3s by $wanted"
		fi
		;;
	none)
		need k3s
		step put_k3s "put k3s $wanted into $bin/k3s"
		;;
	esac
	if [[ -n $offline && ! -e $k3s_images ]]; then
		need k3s-images
		step put_k3s_images "put the images of k3s itself into $k3s_images"
	fi
	[[ -e $k3s_config && $(<"$k3s_config") == "$(k3s_settings)" ]] ||
		step put_k3s_settings "write k3s' settings to $k3s_config"
	[[ -e $unit && $(<"$unit") == "$(k3s_unit)" ]] ||
		step put_k3s_unit "write the service to $unit"
	if ((${#steps[@]} > 0)) || ! is_active k3s; then
		step start_k3s "start k3s now and with the machine; it keeps its data in $k3s_data, and puts containers, networks and firewall rules of its own on the machine"
	fi
}

put_k3s() { put "$stage/k3s" "$bin/k3s" 755; }

put_k3s_images() { put "$stage/k3s-images" "$k3s_images" 644; }

put_k3s_settings() { put <(k3s_settings) "$k3s_config" 600; }

put_k3s_unit() { put <(k3s_unit) "$unit" 644; }

start_k3s() {
	systemctl daemon-reload
	systemctl enable --quiet k3s
	systemctl restart k3s ||
		fail "k3s does not start; see why: journalctl -u k3s -e. Then run install.sh again, which goes on from here"
	say "Waiting until Kubernetes is ready"
	local deadline=$((SECONDS + ${NETMETA_TIMEOUT:-300})) state=""
	until state=$("$bin/k3s" kubectl get nodes --no-headers 2>&1) && grep -q ' Ready ' <<<"$state"; do
		((SECONDS < deadline)) ||
			fail "Kubernetes is not ready after ${NETMETA_TIMEOUT:-300} s: ${state:-there is no node}. See journalctl -u k3s -e; then run install.sh again, which goes on from here"
		sleep "${NETMETA_POLL:-2}"
	done
}
