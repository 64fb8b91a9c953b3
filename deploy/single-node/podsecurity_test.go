package singlenode_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cuelang.org/go/cue"

	"github.com/leoluk/NetMeta/internal/kubetest"
)

// Pods are made of what would make them, and shown to a server that enforces the Pod
// Security Standard "restricted".
func testPodSecurity(t *testing.T, server *kubetest.Server) {
	if _, err := server.Kubectl(`{apiVersion: v1, kind: Namespace, metadata: {name: restricted, labels: {pod-security.kubernetes.io/enforce: restricted}}}`, "apply", "--server-side", "-f", "-"); err != nil {
		t.Fatal(err)
	}
	admit := func(pod string) error {
		_, err := server.Kubectl(pod, "apply", "--server-side", "--dry-run=server", "-n", "restricted", "-f", "-")
		return err
	}
	if err := admit(`{apiVersion: v1, kind: Pod, metadata: {name: bare}, spec: {containers: [{name: a, image: a}]}}`); err == nil || !strings.Contains(err.Error(), `violates PodSecurity "restricted`) {
		t.Fatalf("the server takes any Pod, or says %v", err)
	}

	everything := minimal + `netmeta: config: {enableExternalKafkaListener: true, enableClickhouseIngress: true, ` + withConsole + `}` + "\n"
	t.Run("with a load balancer", func(t *testing.T) {
		pods := pods(t, everything+`netmeta: config: {exposure: "loadbalancer", diskLimit: "80%"}`)
		if len(pods) < 11 {
			t.Errorf("%d Pods were found, want all: %v", len(pods), pods)
		}
		for name, pod := range pods {
			if err := admit(pod); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	// The node's network and ports are the only thing that is more than "restricted" allows.
	t.Run("with ports of the node", func(t *testing.T) {
		why := regexp.MustCompile(`violates PodSecurity "restricted:latest": (.*)`)
		want := map[string]string{
			"collector": "host namespaces (hostNetwork=true)",
			"traefik":   `hostPort (container "traefik" uses hostPorts 443, 80, 8123)`,
		}
		for name, pod := range pods(t, everything) {
			got := ""
			if err := admit(pod); err != nil {
				if match := why.FindStringSubmatch(err.Error()); match != nil {
					got = match[1]
				} else {
					t.Errorf("%s: %v", name, err)
				}
			}
			if got != want[name] {
				t.Errorf("%s is refused because of %q, want %q", name, got, want[name])
			}
		}
	})
}

// withConsole are the keys for the console and the toolbox.
const withConsole = `deployToolbox: true, deployConsole: true, consoleHostname: "console.example.com", consolePasswordHash: "$argon2id$v=19$m=65536,t=1,p=4$c2FsdA$aGFzaA"`

// pods are those that the objects of a configuration lead to, as JSON by name.
func pods(t *testing.T, source string) map[string]string {
	t.Helper()
	value, err := evaluate(t, source)
	if err != nil {
		t.Fatal(err)
	}
	k8s := value.LookupPath(cue.ParsePath("k8s"))
	found := map[string]string{}
	add := func(name string, spec any) {
		text, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": name}, "spec": spec})
		if err != nil {
			t.Fatal(err)
		}
		found[name] = string(text)
	}
	for _, kind := range []string{"StatefulSet", "Deployment", "Job", "CronJob"} {
		objects, err := k8s.LookupPath(cue.ParsePath(kind)).Fields()
		if err != nil {
			t.Fatal(err)
		}
		for objects.Next() {
			var o struct {
				Spec struct {
					VolumeClaimTemplates []struct{ Metadata struct{ Name string } }
					Template             struct{ Spec map[string]any }
					JobTemplate          struct {
						Spec struct{ Template struct{ Spec map[string]any } }
					}
				}
			}
			if err := objects.Value().Decode(&o); err != nil {
				t.Fatal(err)
			}
			if kind == "CronJob" {
				o.Spec.Template = o.Spec.JobTemplate.Spec.Template
			}
			volumes, _ := o.Spec.Template.Spec["volumes"].([]any)
			for _, claim := range o.Spec.VolumeClaimTemplates {
				volumes = append(volumes, claimed(claim.Metadata.Name))
			}
			o.Spec.Template.Spec["volumes"] = volumes
			add(objects.Selector().Unquoted(), o.Spec.Template.Spec)
		}
	}

	var clickhouse struct {
		Spec map[string]any
	}
	if err := k8s.LookupPath(cue.ParsePath("ClickHouseInstallation.netmeta.spec.templates.podTemplates[0]")).Decode(&clickhouse); err != nil {
		t.Fatal(err)
	}
	clickhouse.Spec["volumes"] = append(clickhouse.Spec["volumes"].([]any), claimed("data"))
	add("clickhouse", clickhouse.Spec)

	// Strimzi puts these into the Pods that it makes.
	for _, c := range []struct{ name, pod, container string }{
		{"kafka", "Kafka.netmeta.spec.kafka.template.pod", "Kafka.netmeta.spec.kafka.template.kafkaContainer"},
		{"topic-operator", "Kafka.netmeta.spec.entityOperator.template.pod", "Kafka.netmeta.spec.entityOperator.template.topicOperatorContainer"},
		{"user-operator", "Kafka.netmeta.spec.entityOperator.template.pod", "Kafka.netmeta.spec.entityOperator.template.userOperatorContainer"},
	} {
		var pod, container struct{ SecurityContext any }
		if err := k8s.LookupPath(cue.ParsePath(c.pod)).Decode(&pod); err != nil {
			t.Fatal(err)
		}
		if err := k8s.LookupPath(cue.ParsePath(c.container)).Decode(&container); err != nil {
			t.Fatal(err)
		}
		add(c.name, map[string]any{
			"securityContext": pod.SecurityContext,
			"containers":      []any{map[string]any{"name": c.name, "image": "a", "securityContext": container.SecurityContext}},
		})
	}
	return found
}

func claimed(name string) map[string]any {
	return map[string]any{"name": name, "persistentVolumeClaim": map[string]any{"claimName": fmt.Sprint(name, "-0")}}
}

// What every container has to have, whatever Kubernetes enforces.
func TestEveryContainerIsConfined(t *testing.T) {
	for name, pod := range pods(t, minimal+`netmeta: config: {diskLimit: "80%", `+withConsole+`}`) {
		var p struct {
			Spec struct {
				AutomountServiceAccountToken *bool
				SecurityContext              struct{ RunAsUser int }
				Containers                   []struct {
					SecurityContext struct{ ReadOnlyRootFilesystem bool }
					Resources       struct{ Requests, Limits map[string]string }
					Env             []struct{ Name, Value string }
					Args            []string
				}
			}
		}
		if err := json.Unmarshal([]byte(pod), &p); err != nil {
			t.Fatal(err)
		}
		ofStrimzi := name == "kafka" || strings.HasSuffix(name, "-operator")
		if !ofStrimzi && (p.Spec.AutomountServiceAccountToken == nil || *p.Spec.AutomountServiceAccountToken) {
			t.Errorf("%s has the token of a service account", name)
		}
		for _, c := range p.Spec.Containers {
			if !c.SecurityContext.ReadOnlyRootFilesystem {
				t.Errorf("%s can write to its root", name)
			}
			if !ofStrimzi && (c.Resources.Limits["memory"] == "" || c.Resources.Requests["memory"] == "" || c.Resources.Requests["cpu"] == "") {
				t.Errorf("%s has no limit of memory, or asks for nothing", name)
			}
			for _, secret := range []string{"TmV2ZXIgZ29ubmEgZ2l2", "ZSB5b3UgdXAsIG5ldmVy", "IGdvbm5hIGxldCB5b3Ug"} {
				if strings.Contains(pod, secret) {
					t.Errorf("%s shows a secret", name)
				}
			}
		}
	}
}

// Flags that the program does not know would show only when a Pod starts.
func TestProgramKnowsItsArguments(t *testing.T) {
	program := filepath.Join(t.TempDir(), "netmeta")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/netmeta").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	found := 0
	for name, pod := range pods(t, variants["loadbalancer"]+"\n"+`netmeta: config: {diskLimit: "80%", `+withConsole+`}`) {
		var p struct {
			Spec struct {
				Containers []struct {
					Image string
					Args  []string
				}
			}
		}
		if err := json.Unmarshal([]byte(pod), &p); err != nil {
			t.Fatal(err)
		}
		for _, c := range p.Spec.Containers {
			if !strings.HasPrefix(c.Image, "netmeta.local/netmeta:") {
				continue
			}
			found++
			if out, err := exec.Command(program, append(c.Args, "--help")...).CombinedOutput(); err != nil || !strings.Contains(string(out), "netmeta "+c.Args[0]) {
				t.Errorf("%s: netmeta %s: %v: %s", name, strings.Join(c.Args, " "), err, out)
			}
		}
	}
	if found != 7 {
		t.Errorf("%d Pods run netmeta, want the collector, the migration, the console, names, risinfo and two for maintenance", found)
	}
}
