package singlenode_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/load"
)

// minimal is the smallest configuration that the README shows, with secrets in it.
const minimal = `
netmeta: config: {
    grafanaInitialAdminPassword: "TmV2ZXIgZ29ubmEgZ2l2"
    clickhouseOperatorPassword:  "ZSB5b3UgdXAsIG5ldmVy"
    sessionSecret:               "IGdvbm5hIGxldCB5b3Ug"

    publicHostname: "flowmon.example.com"

    letsencryptMode:        "staging"  // change to "production" later
    letsencryptAccountMail: "letsencrypt@example.com"
}
`

// evaluate returns what the configuration in source makes, or the error with which
// cue vet -c would end. Local files, such as a configuration that is there already, are
// left out, and one dashboard stands for all, which have tests of their own and take
// seconds.
func evaluate(t *testing.T, source string) (cue.Value, error) {
	t.Helper()
	overlay := map[string]load.Source{}
	for file, text := range oneDashboard(t) {
		overlay[absolute(t, filepath.Join("../dashboards", file))] = load.FromString(text)
	}
	return evaluateWith(t, source, overlay)
}

// oneDashboard is a package of one dashboard that takes all that there is to configure,
// in place of the files of deploy/dashboards.
func oneDashboard(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../dashboards/*.cue")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, file := range files {
		texts[filepath.Base(file)] = "package dashboards\n"
	}
	delete(texts, "config.cue") // as it is
	texts["flows.cue"] += `dashboards: "netmeta-flows": {title: "Flows", minInterval: config.minInterval, maxPacketSize: config.maxPacketSize}`
	texts["alerts.cue"] += `alerts: {apiVersion: 1, groups: [{name: "silent after \(config.alerts.exporterSilentSeconds) s"}]}`
	return texts
}

// evaluateWhole does the same with all dashboards.
func evaluateWhole(t *testing.T, source string) (cue.Value, error) {
	t.Helper()
	return evaluateWith(t, source, map[string]load.Source{})
}

func evaluateWith(t *testing.T, source string, overlay map[string]load.Source) (cue.Value, error) {
	t.Helper()
	all, err := filepath.Glob("*.cue")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, file := range all {
		if !strings.HasSuffix(file, "_local.cue") && !strings.HasSuffix(file, "_tool.cue") {
			files = append(files, file)
		}
	}
	// A file that is not there: the configuration under test.
	files = append(files, "tested.cue")
	overlay[absolute(t, "tested.cue")] = load.FromString("package k8s\n" + source)
	instances := load.Instances(files, &load.Config{Dir: absolute(t, "."), Overlay: overlay})
	if err := instances[0].Err; err != nil {
		return cue.Value{}, explained(err)
	}
	value := cuecontext.New().BuildInstance(instances[0])
	if err := value.Validate(cue.Concrete(true)); err != nil {
		return cue.Value{}, explained(err)
	}
	return value, nil
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// explained has all that CUE knows of an error, and not only the first part.
func explained(err error) error {
	return fmt.Errorf("%s", errors.Details(err, nil))
}
