#!/usr/bin/env bash
# The first process of a machine of its own, which internal/kubetest starts in
# namespaces of processes, mounts and network: when it ends, all that runs in it ends,
# and no mount and no interface is left. It waits for its network, and then runs
# containerd, the kubelet and kube-proxy.
#
#   node.sh DIR NODE CNI ADDRESS
#
# DIR holds the configuration and the images, and takes all that the node writes; NODE
# is the program of scripts/kubernetes.sh, CNI the directory of the network plugins,
# ADDRESS what the node's interface gets.
set -euo pipefail
dir=$1 node=$2 cni=$3 address=$4

# What is mounted here is seen by all in here, and by nobody else.
mount --make-rprivate /
mount --make-rshared /
mount -t proc proc /proc
# What containerd and the kubelet cannot be told to write elsewhere.
for there in /run /var/log /var/lib; do
	mount -t tmpfs tmpfs "$there"
done
# What the kubelet sets for all of the kernel, it sets in copies.
mkdir "$dir/sysctl"
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
	copy=$dir/sysctl/${setting//\//.}
	cat "/proc/sys/$setting" >"$copy"
	mount --bind "$copy" "/proc/sys/$setting"
done
hostname node

until ip link show uplink >/dev/null 2>&1; do
	sleep 0.05
done
ip link set lo up
ip address add "$address/24" dev uplink
ip -6 address add "fd00:199::2/64" dev uplink nodad
ip link set uplink up
ip route add default via "${address%.*}.1"
sysctl -qw net.ipv4.ip_forward=1

containerd --config "$dir/containerd.toml" &
runtime=$!
for image in "$dir"/images/*.tar; do
	until ctr --address "$dir/containerd.sock" version >/dev/null 2>&1; do
		kill -0 "$runtime" || exit 1
		sleep 0.05
	done
	# With a record for the digest, by which Pods ask for it.
	ctr --address "$dir/containerd.sock" --namespace k8s.io images import --digests --base-name "netmeta.local/$(basename "$image" .tar)" "$image"
done
export PATH=$cni:$PATH
"$node" kubelet --config "$dir/kubelet.yaml" --kubeconfig "$dir/kubeconfig" --root-dir "$dir/kubelet" --cert-dir "$dir/certificates" \
	--hostname-override node --node-ip "$address" &
"$node" kube-proxy --config "$dir/proxy.yaml" --hostname-override node &
# Whichever ends first, the machine is of no use any more.
wait -n
