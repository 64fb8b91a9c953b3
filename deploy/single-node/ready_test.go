package singlenode_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// testReady begins where testTwice has ended. In place of controllers and operators, the
// test says how far they are.
func testReady(t *testing.T, c *checkout) {
	ready := func(objects ...string) (string, error) {
		cmd := exec.Command("../../scripts/ready.sh", append([]string{"default"}, objects...)...)
		cmd.Env = append(os.Environ(), append(c.server.Env(), "NETMETA_TIMEOUT=1", "NETMETA_POLL=0.1")...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	job, err := c.server.Kubectl("", "get", "jobs.batch", "-n", "default", "--output=jsonpath={.items[0].metadata.name}")
	if err != nil {
		t.Fatal(err)
	}
	const times = `"startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:00Z"`
	for _, s := range []struct{ object, waiting, status, then string }{
		{"StatefulSet/grafana", "waiting: 0 of 1 ready", `{"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}`, "ready"},
		{"Deployment/traefik", "waiting: 0 of 1 ready", `{"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}`, "ready"},
		{"Kafka/netmeta", "waiting: strimzi has not looked at it yet", `{"conditions": [{"type": "NotReady", "status": "True", "reason": "Invalid", "message": "the volume is too small"}]}`, "waiting: Invalid the volume is too small"},
		{"Kafka/netmeta", "waiting: Invalid the volume is too small", `{"conditions": [{"type": "Ready", "status": "True"}]}`, "ready"},
		{"ClickHouseInstallation/netmeta", "waiting: clickhouse-operator says nothing yet", `{"status": "InProgress"}`, "waiting: clickhouse-operator says InProgress"},
		{"ClickHouseInstallation/netmeta", "waiting: clickhouse-operator says InProgress", `{"status": "Completed"}`, "ready"},
		{"Job/" + job, "waiting: it has not ended", `{"succeeded": 1, ` + times + `, "conditions": [{"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}]}`, "ready"},
	} {
		out, err := ready(s.object)
		if err == nil || !strings.Contains(out, s.object+": "+s.waiting) {
			t.Errorf("got %v\n%s\nwant that %s is %q", err, out, s.object, s.waiting)
		}
		kind, name, _ := strings.Cut(s.object, "/")
		if _, err := c.server.Kubectl("", "patch", kind, name, "-n", "default", "--subresource=status", "--type=merge", "--patch", fmt.Sprintf(`{"status": %s}`, s.status)); err != nil {
			t.Fatal(err)
		}
		out, err = ready(s.object)
		if (err == nil) != (s.then == "ready") || !strings.Contains(out, s.object+": "+s.then) {
			t.Errorf("got %v\n%s\nwant that %s is %q", err, out, s.object, s.then)
		}
	}
	if out, err := ready("Job/none"); err == nil || !strings.Contains(out, `"none" not found`) {
		t.Errorf("what is not there: got %v\n%s", err, out)
	}
}
