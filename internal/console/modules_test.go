package console

import (
	"bufio"
	"bytes"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// tapResult is a line of TAP, which `node --test` writes: "not ok 3 - name".
var tapResult = regexp.MustCompile(`^(ok|not ok) \d+ - (.*)$`)

// webScript is found before the engine changes the working directory.
var webScript, _ = filepath.Abs("../../scripts/web.sh")

// TestModulesOfThePage runs the tests of the page's modules, each as a subtest.
func TestModulesOfThePage(t *testing.T) {
	out, err := exec.Command(webScript, "--test").CombinedOutput()
	passed := 0
	var details []byte
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, len(out)+1)
	for lines.Scan() {
		result := tapResult.FindSubmatch(lines.Bytes())
		if result == nil {
			details = append(append(details, lines.Bytes()...), '\n')
			continue
		}
		t.Run(string(result[2]), func(t *testing.T) {
			if string(result[1]) != "ok" {
				t.Fail()
			}
			passed++
		})
	}
	if err != nil || passed == 0 {
		t.Errorf("scripts/web.sh --test: %v\n%s", err, details)
	}
}
