package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/leoluk/NetMeta/internal/console/consoletest"
)

// TestBrowserShowsTheDemoMoving also takes the picture of the README, where
// NETMETA_SCREENSHOTS names a directory.
func TestBrowserShowsTheDemoMoving(t *testing.T) {
	i := start(t, t.TempDir(), "--demo", "--demo-flows", "300000")
	page := consoletest.Open(t, "http://"+i.Console+"/")
	page.SeeTraffic()
	page.WaitFor("the four exporters of the demo", `["127.0.255.1", "127.0.255.2", "192.0.2.1", "2001:db8::4"].every((a) => document.querySelector("#exporters").textContent.includes(a))`)

	count := func() int {
		text := consoletest.Eval[string](page, `(document.querySelector("#stage-datagrams").textContent.match(/([\d,]+) datagrams/) ?? ["", "0"])[1].replaceAll(",", "")`)
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("the stage shows %q datagrams", text)
		}
		return n
	}
	before := count()
	eventually(t, "the count of datagrams goes up by itself", func() error {
		if n := count(); n <= before {
			return fmt.Errorf("it shows %d, as before", n)
		}
		return nil
	})
	page.WaitFor("rates are shown", `!document.querySelector("#stage-datagrams").textContent.includes("–/s")`)
	if dir := os.Getenv("NETMETA_SCREENSHOTS"); dir != "" {
		page.Resize(1440, 860)
		page.SeeTraffic()
		page.Screenshot(filepath.Join(dir, "console.png"))
	}
	for _, window := range []string{"24h", "15m"} {
		page.ChooseWindow(window)
		page.SeeTraffic()
	}
	for _, problem := range page.Problems() {
		t.Error(problem)
	}
}
