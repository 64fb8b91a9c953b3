package dashboards_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"cuelang.org/go/cue/format"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	sdk "github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/leoluk/NetMeta/deploy/dashboards"
	"github.com/leoluk/NetMeta/deploy/dashboards/evaluate"
	"github.com/leoluk/NetMeta/internal/dashboard"
)

// panel is what the tests look at of a panel.
type panel struct {
	ID          int    `json:"id"`
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Collapsed   bool   `json:"collapsed"`
	Interval    string `json:"interval"`
	GridPos     struct{ H, W, X, Y int }
	FieldConfig struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
	Targets []json.RawMessage `json:"targets"`
	Panels  []panel           `json:"panels"`
}

// parsed returns the panels of every dashboard among files, by the name of the file.
func parsed(t *testing.T, files map[string][]byte) map[string][]panel {
	t.Helper()
	all := map[string][]panel{}
	for name, text := range files {
		if !strings.HasPrefix(name, "netmeta-") {
			continue
		}
		var d struct{ Panels []panel }
		must(t, json.Unmarshal(text, &d))
		all[name] = d.Panels
	}
	if len(all) < 4 {
		t.Fatalf("%d dashboards", len(all))
	}
	return all
}

// nested returns panels and what is in their rows.
func nested(panels []panel) []panel {
	var all []panel
	for _, p := range panels {
		all = append(all, p)
		all = append(all, nested(p.Panels)...)
	}
	return all
}

func evaluated(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := evaluatedOnce()
	must(t, err)
	return files
}

var evaluatedOnce = sync.OnceValues(func() (map[string][]byte, error) {
	return evaluate.Files(dashboards.Sources(), evaluate.Config{})
})

func TestGeneratedFilesAreWhatTheSourceSays(t *testing.T) {
	files := evaluated(t)
	committed, err := fs.Glob(dashboards.Files(), "*")
	must(t, err)
	if names := slices.Sorted(maps.Keys(files)); !slices.Equal(names, committed) {
		t.Errorf("there are %v, the source makes %v: run go generate ./deploy/...", committed, names)
	}
	for name, text := range files {
		there, err := fs.ReadFile(dashboards.Files(), name)
		if err != nil || !bytes.Equal(there, text) {
			t.Errorf("json/%s is out of date: run go generate ./deploy/... (%v)", name, err)
		}
	}
}

func TestSourceIsFormattedAndVets(t *testing.T) {
	names, err := fs.Glob(dashboards.Sources(), "*.cue")
	must(t, err)
	for _, name := range names {
		text, err := fs.ReadFile(dashboards.Sources(), name)
		must(t, err)
		formatted, err := format.Source(text)
		must(t, err)
		if !bytes.Equal(text, formatted) {
			t.Errorf("%s is not formatted: run go tool cue fmt ./dashboards in deploy", name)
		}
	}
	// As people run it, in the module of deploy.
	vet := exec.CommandContext(t.Context(), "go", "tool", "cue", "vet", "./dashboards")
	vet.Dir = sourceDir + "/.."
	if out, err := vet.CombinedOutput(); err != nil {
		t.Errorf("cue vet: %v\n%s", err, out)
	}
}

func TestGrafanaKnowsEveryField(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	for name, text := range evaluated(t) {
		if !strings.HasPrefix(name, "netmeta-") {
			continue
		}
		var d sdk.Dashboard
		if err := d.UnmarshalJSONStrict(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIdsAndUidsAreUnique(t *testing.T) {
	uids := map[string]bool{}
	for _, d := range loaded(t) {
		if uids[d.UID] {
			t.Errorf("two dashboards have uid %s", d.UID)
		}
		uids[d.UID] = true
		ids := map[int]string{}
		for _, p := range d.AllPanels() {
			if other, ok := ids[p.ID]; ok {
				t.Errorf("%s: %q and %q have id %d", d.UID, other, p.Title, p.ID)
			}
			ids[p.ID] = p.Title
		}
	}
}

func TestPanelsDoNotOverlap(t *testing.T) {
	for name, panels := range parsed(t, evaluated(t)) {
		groups := [][]panel{panels}
		for _, p := range panels {
			groups = append(groups, p.Panels)
		}
		for _, group := range groups {
			taken := map[[2]int]string{}
			for _, p := range group {
				if p.GridPos.X+p.GridPos.W > 24 {
					t.Errorf("%s: %q ends in column %d of 24", name, p.Title, p.GridPos.X+p.GridPos.W)
				}
				for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
					for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
						if other, ok := taken[[2]int{x, y}]; ok {
							t.Fatalf("%s: %q lies on %q", name, p.Title, other)
						}
						taken[[2]int{x, y}] = p.Title
					}
				}
			}
		}
	}
}

func TestEveryPanelSaysWhatItShows(t *testing.T) {
	for name, panels := range parsed(t, evaluated(t)) {
		for _, p := range nested(panels) {
			if p.Title == "" || p.Type != "row" && p.Description == "" {
				t.Errorf("%s: panel %d %q has no title or description", name, p.ID, p.Title)
			}
			if len(p.Targets) > 0 && p.FieldConfig.Defaults.Unit == "" {
				t.Errorf("%s: panel %d %q has no unit", name, p.ID, p.Title)
			}
		}
	}
}

var (
	reference = regexp.MustCompile(`\$(?:\{([A-Za-z_]\w*)[^}]*\}|([A-Za-z_]\w*))`)
	known     = regexp.MustCompile(`^__(timeInterval|interval_s|fromTime|toTime|timeFilter|conditionalAll|value|data|field|url_time_range|all_variables|all|from|to)\b`)
)

func TestNoVariableIsUndefined(t *testing.T) {
	for _, d := range loaded(t) {
		for _, match := range reference.FindAllSubmatch(d.JSON, -1) {
			name := string(match[1]) + string(match[2])
			if _, ok := d.Variable(name); ok || known.MatchString(name) {
				continue
			}
			// A link hands on what its dashboard may not have: it is then empty.
			if regexp.MustCompile(`\$\{`+name+`:(queryparam|percentencode)\}`).Match(match[0]) && shared[name] {
				continue
			}
			t.Errorf("%s: %s is not defined", d.UID, match[0])
		}
	}
}

// shared are the variables that dashboards hand on to one another.
var shared = func() map[string]bool {
	all := map[string]bool{}
	for _, name := range strings.Fields("datasource exporter interface direction counting host source destination port protocol asn srcAS dstAS nextHop vlan sql") {
		all[name] = true
	}
	return all
}()

func TestLinksLeadToDashboardsThatHaveTheVariable(t *testing.T) {
	uids := map[string]*dashboard.Dashboard{}
	for _, d := range loaded(t) {
		uids[d.UID] = d
	}
	link := regexp.MustCompile(`"/d/(netmeta-[a-z]+)\?var-([A-Za-z]+)=`)
	found := 0
	for _, d := range uids {
		for _, match := range link.FindAllSubmatch(d.JSON, -1) {
			found++
			to, ok := uids[string(match[1])]
			if !ok {
				t.Errorf("%s: %s is no dashboard", d.UID, match[0])
			} else if _, ok := to.Variable(string(match[2])); !ok {
				t.Errorf("%s: %s has no variable %s", d.UID, to.UID, match[2])
			}
		}
	}
	if found < 50 {
		t.Errorf("%d links", found)
	}
}

func TestConfigurationReachesEveryPanel(t *testing.T) {
	files, err := evaluate.Files(dashboards.Sources(), evaluate.Config{MinInterval: "15s", MaxPacketSize: 9000})
	must(t, err)
	queries := 0
	for name, panels := range parsed(t, files) {
		for _, p := range nested(panels) {
			if len(p.Targets) == 0 {
				continue
			}
			queries++
			if p.Interval != "15s" {
				t.Errorf("%s: panel %d %q has the shortest bucket %q", name, p.ID, p.Title, p.Interval)
			}
		}
	}
	if queries < 30 {
		t.Errorf("%d panels", queries)
	}
	if !strings.Contains(string(files["netmeta-overview.json"]), "intDiv(Bytes / Packets, 300) * 300, 9000)") {
		t.Error("the heat map of packet sizes does not end at 9000")
	}
}

func TestConfigurationThatCannotBeIsRefused(t *testing.T) {
	for _, config := range []evaluate.Config{{MinInterval: "fast"}, {MinInterval: "0s"}, {MaxPacketSize: 10}, {MaxPacketSize: 70000}} {
		_, err := evaluate.Files(with{dashboards.Sources(), "package dashboards\n"}, config)
		if err == nil || !strings.Contains(err.Error(), "minInterval") && !strings.Contains(err.Error(), "maxPacketSize") {
			t.Errorf("%+v: %v", config, err)
		}
	}
}

// mistakes are what authors get wrong, as additions to the source.
func TestSchemaRefusesMistakes(t *testing.T) {
	for what, source := range map[string]string{
		"an unknown field of a panel":     `#width: 24, title: "a", description: "a", #queries: ["SELECT 1"], fieldConfig: defaults: unit: "bps", colour: "red"`,
		"an unknown option":               `#width: 24, title: "a", description: "a", #queries: ["SELECT 1"], fieldConfig: defaults: unit: "bps", options: legend: placement: "bottm"`,
		"an unknown look":                 `#width: 24, title: "a", description: "a", #queries: ["SELECT 1"], fieldConfig: defaults: {unit: "bps", custom: fillOpacityX: 1}`,
		"an unknown unit":                 `#width: 24, title: "a", description: "a", #queries: ["SELECT 1"], fieldConfig: defaults: unit: "bsp"`,
		"no unit":                         `#width: 24, title: "a", description: "a", #queries: ["SELECT 1"]`,
		"no title":                        `#width: 24, description: "a", #queries: ["SELECT 1"], fieldConfig: defaults: unit: "bps"`,
		"no description":                  `#width: 24, title: "a", #queries: ["SELECT 1"], fieldConfig: defaults: unit: "bps"`,
		"a panel wider than the grid":     `#width: 25, title: "a", description: "a", #queries: ["SELECT 1"], fieldConfig: defaults: unit: "bps"`,
		"a property that nothing knows":   `#width: 24, title: "a", description: "a", #queries: ["SELECT 1"], fieldConfig: {defaults: unit: "bps", overrides: [{matcher: {id: "byName", options: "a"}, properties: [{id: "custom.colour", value: 1}]}]}`,
		"a value that a property has not": `#width: 24, title: "a", description: "a", #queries: ["SELECT 1"], fieldConfig: {defaults: unit: "bps", overrides: [{matcher: {id: "byName", options: "a"}, properties: [{id: "custom.transform", value: "negative-X"}]}]}`,
	} {
		t.Run(what, func(t *testing.T) {
			text := fmt.Sprintf("package dashboards\n\ndashboards: \"netmeta-test\": {title: \"Test\", description: \"Test\", #sections: [{lines: [{height: 3, panels: [{id: 1, type: \"timeseries\", %s}]}]}]}\n", source)
			if _, err := evaluate.Files(with{dashboards.Sources(), text}, evaluate.Config{}); err == nil {
				t.Error("it is taken")
			}
		})
	}
	t.Run("the same without one", func(t *testing.T) {
		text := "package dashboards\n\ndashboards: \"netmeta-test\": {title: \"Test\", description: \"Test\", #sections: [{lines: [{height: 3, panels: [{id: 1, type: \"timeseries\", #width: 24, title: \"a\", description: \"a\", #queries: [\"SELECT 1\"], fieldConfig: defaults: unit: \"bps\"}]}]}]}\n"
		if _, err := evaluate.Files(with{dashboards.Sources(), text}, evaluate.Config{}); err != nil {
			t.Error(err)
		}
	})
}
