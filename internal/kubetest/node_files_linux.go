package kubetest

import (
	"path/filepath"
	"strings"
	"testing"
)

// configureNode writes what the programs of a node read.
func (n *Node) configureNode(t testing.TB, cni string) {
	t.Helper()
	fill := strings.NewReplacer("DIR", n.dir, "CNI", cni, "GROUP", n.group, "PODS", podNetwork, "KUBECONFIG", filepath.Join(n.dir, "kubeconfig"))
	for name, text := range map[string]string{
		"containerd.toml":   containerdConfig,
		"cni/pods.conflist": podsConfig,
		"kubelet.yaml":      kubeletConfig,
		"proxy.yaml":        proxyConfig,
		"resolv.conf":       "nameserver 192.0.2.53\n", // which nobody is
	} {
		write(t, filepath.Join(n.dir, name), fill.Replace(text))
	}
}

// podNetwork has the addresses of Pods that are not on the host's network.
const podNetwork = "10.42.0.0/24"

// The machine may lack AppArmor, and the right to lower a process's score for the
// out-of-memory killer.
const containerdConfig = `version = 2
root = "DIR/containerd"
state = "/run/containerd"

[grpc]
  address = "DIR/containerd.sock"

[plugins."io.containerd.internal.v1.opt"]
  path = "DIR/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "netmeta.local/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "CNI"
    conf_dir = "DIR/cni"
`

const podsConfig = `{
  "cniVersion": "1.0.0",
  "name": "pods",
  "plugins": [{
    "type": "bridge",
    "bridge": "pods",
    "isGateway": true,
    "ipMasq": true,
    "hairpinMode": true,
    "ipam": {"type": "host-local", "dataDir": "DIR/addresses", "ranges": [[{"subnet": "PODS"}]], "routes": [{"dst": "0.0.0.0/0"}]}
  }]
}
`

// The machine may have cgroup v1 alone, which Kubernetes runs on if it is told to. How
// full the disk is, is not the test's business.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://DIR/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /GROUP
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
makeIPTablesUtilChains: false
oomScoreAdj: 0
resolvConf: DIR/resolv.conf
podLogsDir: DIR/logs
volumePluginDir: DIR/plugins
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
imageGCHighThresholdPercent: 100
evictionHard: {nodefs.available: "0%", imagefs.available: "0%", nodefs.inodesFree: "0%", memory.available: "0%"}
`

// The limits of connection tracking are the machine's, and stay as they are.
const proxyConfig = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: PODS
clientConnection: {kubeconfig: KUBECONFIG}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
`
