package kubetest_test

import (
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/kubetest"
)

func TestServerRefusesWhatKubernetesDoesNotKnow(t *testing.T) {
	server := kubetest.Start(t)
	server.DefineOperators(t)
	for _, c := range []struct{ promise, manifest, want string }{
		{"a field of a Deployment", `{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {contaners: []}}}}`, "contaners: field not declared in schema"},
		{"a field of a topic", `{apiVersion: kafka.strimzi.io/v1, kind: KafkaTopic, metadata: {name: a}, spec: {partitons: 1}}`, "partitons: field not declared in schema"},
		{"a value of an installation", `{apiVersion: clickhouse.altinity.com/v1, kind: ClickHouseInstallation, metadata: {name: a}, spec: {configuration: {clusters: [{name: a-name-that-is-too-long}]}}}`, "name"},
		{"a version of Strimzi's objects", `{apiVersion: kafka.strimzi.io/v1beta2, kind: Kafka, metadata: {name: a}, spec: {}}`, "no matches for kind"},
	} {
		t.Run(c.promise, func(t *testing.T) {
			_, err := server.Kubectl(c.manifest, "apply", "--server-side", "--validate=strict", "-n", "default", "-f", "-")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
