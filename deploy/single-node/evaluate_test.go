package singlenode_test

import (
	"fmt"
	"os"
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
// left out.
func evaluate(t *testing.T, source string) (cue.Value, error) {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
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
	instances := load.Instances(files, &load.Config{
		Dir:     dir,
		Overlay: map[string]load.Source{filepath.Join(dir, "tested.cue"): load.FromString("package k8s\n" + source)},
	})
	if err := instances[0].Err; err != nil {
		return cue.Value{}, explained(err)
	}
	value := cuecontext.New().BuildInstance(instances[0])
	if err := value.Validate(cue.Concrete(true)); err != nil {
		return cue.Value{}, explained(err)
	}
	return value, nil
}

// explained has all that CUE knows of an error, and not only the first part.
func explained(err error) error {
	return fmt.Errorf("%s", errors.Details(err, nil))
}
