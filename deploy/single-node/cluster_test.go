package singlenode_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue"

	"github.com/leoluk/NetMeta/internal/kubetest"
)

// trying is what makes a configuration fit for a server without operators and images.
const trying = "netmeta: config: {deployOperators: false, allowUnpinnedImages: true}\n"

// checkout is a copy of what the commands of deploy/single-node need.
type checkout struct {
	t      *testing.T
	dir    string // deploy/single-node
	server *kubetest.Server
	env    []string
}

// newCheckout has a server, and a configuration that is yet to be written.
func newCheckout(t *testing.T, server *kubetest.Server) *checkout {
	t.Helper()
	root := t.TempDir()
	for _, tree := range []string{"deploy", "scripts"} {
		copyTracked(t, filepath.Join("../..", tree), filepath.Join(root, tree))
	}
	return &checkout{
		t: t, dir: filepath.Join(root, "deploy/single-node"), server: server,
		// There is nobody who would make anything ready.
		env: append(server.Env(), "NETMETA_TIMEOUT=0"),
	}
}

// newQuickCheckout is one with a single dashboard, which takes seconds less to evaluate.
func newQuickCheckout(t *testing.T, server *kubetest.Server) *checkout {
	t.Helper()
	c := newCheckout(t, server)
	for file, text := range oneDashboard(t) {
		if err := os.WriteFile(filepath.Join(c.dir, "../dashboards", file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// copyTracked copies what is of the repository, and not what scripts or people have put
// there.
func copyTracked(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.Name() == "node_modules":
			return filepath.SkipDir
		case entry.IsDir() || strings.HasSuffix(path, "_local.cue"):
			return nil
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rest)
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return err
		}
		return os.WriteFile(target, text, info.Mode())
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (c *checkout) configure(source string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, "config_local.cue"), []byte("package k8s\n"+source), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// cue runs cue cmd with a command, and returns all that it writes.
func (c *checkout) cue(command string) (string, error) {
	c.t.Helper()
	cmd := exec.Command(cueProgram(c.t), "cmd", command, "./...")
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), c.env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (c *checkout) mustCue(command string) string {
	c.t.Helper()
	out, err := c.cue(command)
	if err != nil {
		c.t.Fatalf("cue cmd %s ./...: %v\n%s", command, err, out)
	}
	return out
}

// cueProgram is the cue that go.mod pins.
func cueProgram(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "tool", "-n", "cue").Output()
	if err != nil {
		t.Fatalf("go tool -n cue: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// kinds are all that NetMeta has objects of.
const kinds = "namespaces,secrets,configmaps,services,persistentvolumeclaims,deployments.apps,statefulsets.apps,jobs.batch,cronjobs.batch,networkpolicies,kafkas,kafkanodepools,kafkatopics,kafkausers,clickhouseinstallations"

// objects are those of a namespace that carry NetMeta's label, as KIND/NAME, with all
// that the server knows of them. Its version is left out: that of a
// PersistentVolumeClaim grows whatever is applied.
func (c *checkout) objects(namespace string) map[string]string {
	c.t.Helper()
	out, err := c.server.Kubectl("", "get", kinds, "-n", namespace, "-l", "app.kubernetes.io/part-of=netmeta", "--output=json", "--show-managed-fields")
	if err != nil {
		c.t.Fatal(err)
	}
	var list struct {
		Items []map[string]any
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		c.t.Fatal(err)
	}
	objects := map[string]string{}
	for _, o := range list.Items {
		metadata := o["metadata"].(map[string]any)
		delete(metadata, "resourceVersion")
		text, err := json.MarshalIndent(o, "", "  ")
		if err != nil {
			c.t.Fatal(err)
		}
		objects[fmt.Sprintf("%s/%s", o["kind"], metadata["name"])] = string(text)
	}
	return objects
}

// names are those of objects, in order.
func names(objects map[string]string) []string {
	return slices.Sorted(maps.Keys(objects))
}

// One server is enough: each test has a namespace of its own.
func TestOnAServer(t *testing.T) {
	server := kubetest.Start(t)
	t.Run("apply refuses", func(t *testing.T) { testApplyRefuses(t, newQuickCheckout(t, server)) })
	server.DefineOperators(t)
	t.Run("Pod Security", func(t *testing.T) { testPodSecurity(t, server) })
	t.Run("a container may listen beside the collector", func(t *testing.T) { testCapture(t, server) })
	t.Run("every variant is accepted", func(t *testing.T) { testVariants(t, newQuickCheckout(t, server)) })
	t.Run("a namespace of its own", func(t *testing.T) { testNamespace(t, newCheckout(t, server)) })
	t.Run("applying twice changes nothing", func(t *testing.T) { testTwice(t, newQuickCheckout(t, server)) })
	t.Run("waiting says what is not ready and why", func(t *testing.T) { testReady(t, newQuickCheckout(t, server)) })
	t.Run("diff shows what apply would change", func(t *testing.T) { testDiff(t, newQuickCheckout(t, server)) })
	t.Run("pruning removes what left the configuration and nothing else", func(t *testing.T) { testPrune(t, newQuickCheckout(t, server)) })
}

// testCapture runs the recipe of the operator's guide for capture, on a Pod like the
// collector's in a namespace that enforces nothing. Nobody runs it there.
func testCapture(t *testing.T, server *kubetest.Server) {
	guide, err := os.ReadFile("../../doc/operator.md")
	if err != nil {
		t.Fatal(err)
	}
	custom := regexp.MustCompile(`echo '(.*)' >capture.json`).FindSubmatch(guide)
	if custom == nil {
		t.Fatal("the guide has no capture.json")
	}
	file := filepath.Join(t.TempDir(), "capture.json")
	if err := os.WriteFile(file, custom[1], 0o600); err != nil {
		t.Fatal(err)
	}
	pod := pods(t, minimal)["collector"]
	pod = strings.Replace(pod, `"name":"collector"`, `"name":"collector-0"`, 1)
	if _, err := server.Kubectl(`{apiVersion: v1, kind: Namespace, metadata: {name: captured}}`, "apply", "--server-side", "-f", "-"); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Kubectl(pod, "apply", "--server-side", "-n", "captured", "-f", "-"); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Kubectl("", "debug", "collector-0", "-n", "captured", "--image=toolbox", "--custom="+file, "--", "capture"); err != nil {
		t.Fatal(err)
	}
	out, err := server.Kubectl("", "get", "pod", "collector-0", "-n", "captured", "--output=jsonpath={.spec.ephemeralContainers[0].securityContext}")
	if err != nil || !strings.Contains(out, `"NET_RAW"`) || !strings.Contains(out, `"runAsUser":0`) {
		t.Errorf("the container has %s, %v", out, err)
	}
}

// testVariants has the server look at every configuration of TestWhatIsApplied, with its
// strictness against fields that it does not know.
func testVariants(t *testing.T, c *checkout) {
	// Of a kind that clusters know if they have prometheus-operator. Others are refused what
	// has it.
	c.configure(variants["podmonitor"] + "\n" + trying)
	if out, err := c.cue("apply"); err == nil || !strings.Contains(out, "the cluster does not know podmonitors.monitoring.coreos.com") {
		t.Errorf("without prometheus-operator: %v\n%s", err, out)
	}
	definePodMonitors(t, c.server)
	for name, source := range variants {
		t.Run(name, func(t *testing.T) {
			value, err := evaluate(t, source)
			if err != nil {
				t.Fatal(err)
			}
			namespace, err := value.LookupPath(cue.ParsePath("stages.namespace")).MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			objects, err := value.LookupPath(cue.ParsePath("members")).MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.server.Kubectl(list(namespace), "apply", "--server-side", "--force-conflicts", "-f", "-"); err != nil {
				t.Fatal(err)
			}
			if _, err := c.server.Kubectl(list(objects), "apply", "--server-side", "--validate=strict", "--dry-run=server", "-f", "-"); err != nil {
				t.Error(err)
			}
		})
	}
}

func definePodMonitors(t *testing.T, server *kubetest.Server) {
	t.Helper()
	if _, err := server.Kubectl("", "apply", "--server-side", "-f", "testdata/crd/podmonitors.yaml"); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Kubectl("", "wait", "--for=condition=Established", "customresourcedefinition/podmonitors.monitoring.coreos.com"); err != nil {
		t.Fatal(err)
	}
}

// list are objects as kubectl takes them.
func list(items []byte) string {
	return fmt.Sprintf(`{"apiVersion": "v1", "kind": "List", "items": %s}`, items)
}

func testNamespace(t *testing.T, c *checkout) {
	c.configure(minimal + trying + "netmeta: config: namespace: \"observability\"\n")
	c.mustCue("apply")
	if there := c.objects("observability"); len(there) < 30 {
		t.Errorf("%d objects are there, want all of NetMeta: %v", len(there), names(there))
	}
	for name := range c.objects("default") {
		if !strings.HasPrefix(name, "Namespace/") { // which are in none
			t.Errorf("the namespace default is to be left alone, and has %s", name)
		}
	}
}

func testTwice(t *testing.T, c *checkout) {
	c.configure(minimal + trying)
	c.mustCue("apply")
	first := c.objects("default")
	if out, err := c.cue("diff"); err != nil {
		t.Errorf("diff after apply: %v\n%s", err, out)
	}
	for _, command := range []string{"apply", "apply-prune"} { // there is nothing to prune
		c.mustCue(command)
		second := c.objects("default")
		for name, text := range second {
			if first[name] != text {
				t.Errorf("%s has been changed by %s from\n%s\nto\n%s", name, command, first[name], text)
			}
		}
		if lost := gone(first, second); len(lost) > 0 {
			t.Errorf("%s has removed %v", command, lost)
		}
	}
}

// testDiff begins where testTwice has ended.
func testDiff(t *testing.T, c *checkout) {
	c.configure(minimal + trying + "netmeta: config: goflowTopicRetention: 2_000_000_000\n")
	out, err := c.cue("diff")
	if err == nil {
		t.Error("the exit status says that there is no difference")
	}
	for _, want := range []string{`-    retention.bytes: "1000000000"`, `+    retention.bytes: "2000000000"`} {
		if !strings.Contains(out, want) {
			t.Errorf("the difference has no line %q:\n%s", want, out)
		}
	}
	c.configure(with("sessionSecret", `"aW5nIHRvIHJ1biBhcm91"`) + trying)
	if out, _ := c.cue("diff"); strings.Contains(out, "aW5nIHRvIHJ1biBhcm91") || strings.Contains(out, "YVc1bklIUnZJSEoxYmlCaGNtOTE=") {
		t.Errorf("the difference shows a secret:\n%s", out)
	}
}

func testPrune(t *testing.T, c *checkout) {
	const more = `netmeta: config: {
		namespace: "pruned"
		enableExternalKafkaListener: true
		exposure: "loadbalancer"
		grafanaGoogleAuth: {clientID: "a", clientSecret: "b", allowedDomains: ["corp.example"]}
		diskLimit: "80%"
		monitoringNamespace: "monitoring"
		monitoringBy: "podmonitor"
	}
	`
	definePodMonitors(t, c.server)
	podMonitors := func() string {
		out, err := c.server.Kubectl("", "get", "podmonitors", "-n", "pruned", "--output=name")
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	c.configure(minimal + trying + more)
	c.mustCue("apply")
	if podMonitors() == "" {
		t.Error("there is no PodMonitor")
	}
	before := c.objects("pruned")
	// Of others, in the same namespace.
	if _, err := c.server.Kubectl(`{apiVersion: v1, kind: ConfigMap, metadata: {name: of-somebody-else, namespace: pruned}}`, "apply", "--server-side", "-f", "-"); err != nil {
		t.Fatal(err)
	}

	c.configure(with("letsencryptMode", `"off"`) + trying + `netmeta: config: {namespace: "pruned", exposure: "loadbalancer", ingress: "none", deployGoflow: false}`)
	c.mustCue("apply")
	if missing := gone(before, c.objects("pruned")); len(missing) > 0 {
		t.Errorf("apply alone has removed %v", missing)
	}
	c.mustCue("apply-prune")
	want := []string{
		"ConfigMap/collector",
		"ConfigMap/traefik",
		"CronJob/disk-limit",
		"Deployment/collector",
		"Deployment/traefik",
		"KafkaUser/processor",
		"NetworkPolicy/collector",
		"NetworkPolicy/traefik",
		"Service/collector",
		"Service/flows",
		"Service/traefik",
	}
	if got := gone(before, c.objects("pruned")); !slices.Equal(got, want) {
		t.Errorf("removed were\n%v\nwant\n%v", got, want)
	}
	if left := podMonitors(); left != "" {
		t.Errorf("left is %s", left)
	}
	for _, kept := range []string{"configmap/of-somebody-else", "persistentvolumeclaim/traefik-certificates", "persistentvolumeclaim/collector-state", "secret/grafana-passwords", "namespace/pruned"} {
		if _, err := c.server.Kubectl("", "get", "-n", "pruned", kept); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.server.Kubectl("", "get", "customresourcedefinition", "kafkas.kafka.strimzi.io"); err != nil {
		t.Error(err)
	}
}

// gone are the names that are in before and not in after.
func gone(before, after map[string]string) (names []string) {
	for name := range before {
		if _, there := after[name]; !there {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func testApplyRefuses(t *testing.T, c *checkout) {
	for _, c2 := range []struct{ promise, source, want string }{
		{"images without a digest", minimal, "images without a digest: netmeta, grafana, traefik"},
		{"a cluster without operators", minimal + trying, "the cluster does not know kafkas.kafka.strimzi.io"},
		{"operators that were not fetched", minimal + "netmeta: config: allowUnpinnedImages: true\n", "run scripts/operators.sh fetch"},
		{"a configuration that is not complete", without("publicHostname") + trying, "not set in netmeta.config: publicHostname"},
	} {
		t.Run(c2.promise, func(t *testing.T) {
			c.configure(c2.source)
			out, err := c.cue("apply")
			if err == nil || !strings.Contains(out, c2.want) {
				t.Errorf("got %v\n%s\nwant %q", err, out, c2.want)
			}
			if there, err := c.server.Kubectl("", "get", "secrets,configmaps,deployments.apps", "-l", "app.kubernetes.io/part-of=netmeta", "--output=name"); err != nil || there != "" {
				t.Errorf("these were applied all the same: %s, %v", there, err)
			}
		})
	}
}
