//go:build linux

package singlenode_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cuelang.org/go/cue"

	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/kubetest"
	"github.com/leoluk/NetMeta/internal/standalone/broker"
)

// patience is for what takes seconds on an idle machine.
const patience = time.Minute

// onNode is the collector on a genuine node, with a Kafka outside of the cluster.
type onNode struct {
	*kubetest.Node
	kafka  string // address of the host; the port is the one that the collector knows
	images string // CUE that names our image by its digest
}

// TestOnANode runs the image of this repository as the Pods that are applied.
func TestOnANode(t *testing.T) {
	dir := t.TempDir()
	archive, images := buildImage(t, dir)
	node := kubetest.StartNode(t, map[string]string{"netmeta": archive})
	for name, test := range map[string]func(*testing.T, *onNode){
		"ports of the node": testOnHost,
		"a load balancer":   testBehindBalancer,
	} {
		kafka := node.AddAddress(t)
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of the time is spent on waiting
			startKafka(t, kafka)
			test(t, &onNode{node, kafka, images})
		})
	}
}

// buildImage builds the image of netmeta, as scripts/build_containers.sh does.
func buildImage(t *testing.T, dir string) (archive, images string) {
	t.Helper()
	program, tool, declaration := filepath.Join(dir, "netmeta"), filepath.Join(dir, "containers"), filepath.Join(dir, "images_local.cue")
	execute := func(in, name string, args ...string) {
		cmd := exec.Command(name, args...)
		cmd.Dir = in
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		cmd.Stdin = strings.NewReader("{}")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
	}
	execute("../..", "go", "build", "-trimpath", "-o", program, "./cmd/netmeta")
	execute("../../scripts/containers", "go", "build", "-o", tool, ".")
	execute(".", tool, "-binary", program, "-architecture", goarch(t), "-version", "tested", "-offline", "-out", dir, "-cue", declaration)
	text, err := os.ReadFile(declaration)
	if err != nil {
		t.Fatal(err)
	}
	_, images, _ = strings.Cut(string(text), "package k8s\n")
	return filepath.Join(dir, "netmeta.tar"), images
}

func goarch(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOARCH").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// startKafka runs a broker on this machine, where the node can reach it.
func startKafka(t *testing.T, host string) {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Options{
		Address: host + ":9092", DataDir: t.TempDir(),
		Topics: []broker.Topic{{Name: flow.Topic, Partitions: 1}, {Name: flow.CountersTopic, Partitions: 1}, {Name: flow.PipelineTopic, Partitions: 1}, {Name: flow.TracesTopic, Partitions: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
}

// apply applies the namespace and the objects of the collector, the Kafka outside being
// what it knows as that of the cluster.
func (n *onNode) apply(t *testing.T, source string) {
	t.Helper()
	value, err := evaluate(t, minimal+n.images+source+fmt.Sprintf(`
k8s: Deployment: collector: spec: template: spec: hostAliases: [{ip: %q, hostnames: ["netmeta-kafka-bootstrap"]}]
`, n.kafka))
	if err != nil {
		t.Fatal(err)
	}
	var objects []json.RawMessage
	for _, stage := range []string{"namespace", "secrets", "rest"} {
		items, err := value.LookupPath(cue.ParsePath("stages." + stage)).List()
		if err != nil {
			t.Fatal(err)
		}
		for items.Next() {
			var meta struct {
				Kind     string
				Metadata struct{ Labels map[string]string }
			}
			if err := items.Value().Decode(&meta); err != nil {
				t.Fatal(err)
			}
			if meta.Kind != "Namespace" && meta.Metadata.Labels["netmeta/component"] != "collector" {
				continue // of what has no image here, or is of no use without that
			}
			text, err := items.Value().MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			objects = append(objects, text)
		}
	}
	text, err := json.Marshal(objects)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Kubectl(list(text), "apply", "--server-side", "--validate=strict", "-f", "-"); err != nil {
		t.Fatal(err)
	}
}

// addVolume adds a directory of the node as a volume for whoever claims one.
func (n *onNode) addVolume(t *testing.T, name string) {
	t.Helper()
	if _, err := n.Kubectl(fmt.Sprintf(`{apiVersion: v1, kind: PersistentVolume, metadata: {name: %s}, spec: {
		capacity: {storage: 100Gi}, accessModes: [ReadWriteOnce], local: {path: %s},
		nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node]}]}]}}}}`,
		name, n.MakeDirectory(t, name)), "apply", "--server-side", "-f", "-"); err != nil {
		t.Fatal(err)
	}
}

// await runs kubectl until the condition holds for what it writes.
func (n *onNode) await(t *testing.T, what string, holds func(out string) bool, args ...string) string {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		out, err := n.Kubectl("", args...)
		if err == nil && holds(out) {
			return out
		}
		if time.Now().After(deadline) {
			events, _ := n.Kubectl("", "get", "events,pods", "-A", "-o", "wide") // to help a person, if it works
			t.Fatalf("%s does not come: %q, %v\n%s", what, out, err, events)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
