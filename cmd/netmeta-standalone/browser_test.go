package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/console/consoletest"
)

// pictures are what the documentation shows: a file, the address, whether it is dark,
// what has to be on the page, and how high the picture is.
var pictures = []struct {
	file, address string
	dark          bool
	shows         string
	height        int64
}{
	{"home.png", "/", false, "", 1000},
	{"overview.png", "/d/netmeta-overview?from=now-24h&to=now", false, "", 1150},
	{"overview-dark.png", "/d/netmeta-overview?from=now-24h&to=now", true, "", 1150},
	{"relations.png", "/d/netmeta-relations?from=now-6h&to=now", false, "", 1000},
	{"interface.png", "/d/netmeta-interface?from=now-24h&to=now", false, "", 1000},
	{"host.png", "/d/netmeta-host?from=now-24h&to=now&var-host=203.0.113.0/24", false, "", 1000},
	{"attack.png", "/d/netmeta-attack?from=now-24h&to=now", false, "", 1000},
	{"flows.png", "/d/netmeta-flows?from=now-1h&to=now", false, "", 800},
	{"pipeline.png", "/d/netmeta-pipeline?from=now-1h&to=now", false, "", 1000},
	{"sql.png", "/sql?sql=" + sqlOfThePicture, false, `document.querySelectorAll("#result tbody tr").length >= 10 && document.querySelectorAll("#schema details").length > 5`, 900},
	{"alerts.png", "/alerts", false, `document.querySelectorAll(".rule").length > 0`, 700},
	{"setup.png", "/setup", false, `document.querySelector("#setup-panel")?.innerText.includes("udp")`, 900},
	{"path.png", "/path", false, `document.querySelectorAll(".stage").length === 4`, 420},
}

const sqlOfThePicture = "SELECT%20Source%2C%20Destination%2C%20Service%2C%0A%20%20%20%20%20%20%20rateToString(sum(Bits)%20%2F%203600)%20AS%20rate%0AFROM%20flows%0A" +
	"WHERE%20Time%20%3E%20now()%20-%20INTERVAL%201%20HOUR%0AGROUP%20BY%20Source%2C%20Destination%2C%20Service%0AORDER%20BY%20sum(Bits)%20DESC%0ALIMIT%2020"

// TestBrowserShowsTheDemo opens every page of the console over the demo, as the
// documentation shows it, and keeps a picture of each: where NETMETA_PICTURES says,
// as scripts/screenshots.sh does, else below .build. NETMETA_PICTURES_FLOWS is how
// many flows the demo then has.
func TestBrowserShowsTheDemo(t *testing.T) {
	flows := "300000"
	if f := os.Getenv("NETMETA_PICTURES_FLOWS"); f != "" {
		flows = f
	}
	i := start(t, t.TempDir(), "--demo", "--demo-flows", flows)
	dir := pictureDir(t)
	page := consoletest.Open(t, "http://"+i.Console+"/path")
	demoMoves(t, page)
	for _, picture := range pictures {
		page.Dark(picture.dark)
		page.Resize(1600, picture.height)
		page.Goto(picture.address)
		if picture.shows == "" {
			page.WaitFor(picture.file+": the panels in sight have loaded",
				`document.querySelector(".panel") !== null && [...document.querySelectorAll(".panel")].every((panel) => panel.getBoundingClientRect().top > innerHeight || ["ready", "empty"].includes(panel.dataset.state))`)
		} else {
			page.WaitFor(picture.file+" is complete", picture.shows)
		}
		page.Stay("main")
		page.Picture(filepath.Join(dir, picture.file))
	}
	page.MustBeWell()
}

// demoMoves checks that numbers go up by themselves.
func demoMoves(t *testing.T, page *consoletest.Page) {
	t.Helper()
	count := func() int {
		text := consoletest.Eval[string](page, `(document.querySelector("#stage-datagrams")?.textContent.match(/([\d,]+) datagrams/) ?? ["", "0"])[1].replaceAll(",", "")`)
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			t.Fatalf("the stage shows %q datagrams", text)
		}
		return n
	}
	page.Stage("datagrams")
	before := count()
	eventually(t, "the count of datagrams goes up by itself", func() error {
		if n := count(); n <= before {
			return fmt.Errorf("it shows %d, as before", n)
		}
		return nil
	})
	page.WaitFor("rates are shown", `!document.querySelector("#stage-datagrams").textContent.includes("–/s")`)
}

func pictureDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("NETMETA_PICTURES")
	if dir == "" {
		_, here, _, _ := runtime.Caller(0)
		dir = filepath.Join(filepath.Dir(here), "../../.build/screenshots")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
