package singlenode_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"cuelang.org/go/cue"
)

// accepted are findings of kube-score that are so on purpose: the check, the objects, and
// why.
var accepted = []struct{ check, objects, why string }{
	{"container-resources", ".", "(CPU limit) A limit slows down what could use an idle processor, above all the collector, whose sockets overflow meanwhile."},
	{"container-cpu-requests-equal-limits", ".", "There are no limits of processors."},
	{"container-resource-requests-equal-limits", ".", "There are no limits of processors."},
	{"container-ephemeral-storage-request-equals-limit", ".", "What is hardly ever used need not be set aside."},
	{"container-image-pull-policy", ".", "Images come by digest, so that they cannot change, and are imported where there is no registry."},
	{"container-security-context-user-group-id", "^StatefulSet/.*/grafana$", "The image of Grafana has its files for the user 472."},
	{"statefulset-has-servicename", "^StatefulSet/", "There is one replica, which is reached by the Service, and nobody asks for it by its own name. It cannot be changed later."},
	{"deployment-replicas", "^Deployment/.*/collector$", "The spool and the sockets belong to one process. In an update, the next one takes them over from it."},
	{"deployment-replicas", "^Deployment/.*/risinfo$", "Tables of AS numbers are in ClickHouse: nothing waits for it while it is away."},
	{"deployment-strategy", "^Deployment/.*/risinfo$", "Downloads are on a volume that one process writes."},
	{"deployment-replicas", "^Deployment/.*/console$", "Sessions are in memory. While it starts anew, people wait for a second."},
	{"deployment-replicas", "^Deployment/.*/traefik$", "Let's Encrypt's account and certificates are in a file that one process writes."},
	{"deployment-strategy", "^Deployment/.*/traefik$", "For the same reason, the next one starts when the one before has ended."},
	{"networkpolicy-targets-pod", "^NetworkPolicy/.*/(clickhouse|clickhouse-operator|kafka|kafka-operators|strimzi)$", "The operators, and what they make, are not among these objects."},
}

// Grades of kube-score: below this there is something to be said.
const allOK = 7

func TestKubeScoreFindsNothingThatIsNotAccepted(t *testing.T) {
	needed := make([]bool, len(accepted))
	for _, exposure := range []string{"host", "loadbalancer"} {
		source := minimal + fmt.Sprintf("netmeta: config: {exposure: %q, enableExternalKafkaListener: true, enableClickhouseIngress: true, diskLimit: \"80%%\", %s}\n", exposure, withConsole)
		for _, finding := range kubeScore(t, source) {
			found := false
			for i, a := range accepted {
				if a.check == finding.check && regexp.MustCompile(a.objects).MatchString(finding.object) {
					needed[i], found = true, true
				}
			}
			if !found {
				t.Errorf("exposure %s: %s: %s: %s", exposure, finding.object, finding.check, finding.comment)
			}
		}
	}
	for i, a := range accepted {
		if !needed[i] {
			t.Errorf("%s of %s is accepted, and is not found any more", a.check, a.objects)
		}
	}
}

type finding struct{ object, check, comment string }

// kubeScore runs all checks of kube-score, the optional ones included.
func kubeScore(t *testing.T, source string) (found []finding) {
	t.Helper()
	which := exec.Command("go", "tool", "-n", "kube-score")
	which.Dir = "../../scripts/kubescore"
	program, err := which.Output()
	if err != nil {
		t.Fatalf("go tool -n kube-score: %v", err)
	}
	value, err := evaluate(t, source)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := value.LookupPath(cue.ParsePath("redacted")).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(objects, &list); err != nil {
		t.Fatal(err)
	}
	var documents bytes.Buffer
	for _, o := range list {
		documents.WriteString("---\n")
		documents.Write(o)
		documents.WriteByte('\n')
	}
	cmd := exec.Command(strings.TrimSpace(string(program)), "score", "--kubernetes-version", "v1.36", "--all-default-optional", "--output-format", "json", "-")
	cmd.Stdin = &documents
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output() // status 1 where something is critical
	var report []struct {
		ObjectName string `json:"object_name"`
		TypeMeta   struct{ Kind string }
		ObjectMeta struct{ Name string } `json:"object_meta"`
		Checks     []struct {
			Check    struct{ ID string }
			Grade    int
			Skipped  bool
			Comments []struct{ Path, Summary string }
		}
	}
	if decodeErr := json.Unmarshal(out, &report); decodeErr != nil || len(report) < 15 {
		t.Fatalf("kube-score: %v, %v, %d objects: %s", err, decodeErr, len(report), stderr.String())
	}
	for _, o := range report {
		for _, c := range o.Checks {
			if !c.Skipped && c.Grade < allOK {
				found = append(found, finding{o.ObjectName, c.Check.ID, fmt.Sprint(c.Comments)})
			}
		}
	}
	return found
}
