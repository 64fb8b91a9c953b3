// Package dashboard reads dashboards in Grafana's classic JSON and makes the
// statements of their panels executable: it expands the macros of Grafana's
// ClickHouse data source and puts in the values of variables.
//
// Values come from people and from links. They are checked by what their variable
// holds (see Check) and formatted so that none can end the string or the brackets
// that the statement puts it into.
package dashboard

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"
)

// A Dashboard is what a file of Grafana's classic JSON holds, as far as running its
// queries needs it; JSON has all of it.
type Dashboard struct {
	UID         string     `json:"uid"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Tags        []string   `json:"tags"`
	Panels      []Panel    `json:"panels"`
	Templating  templating `json:"templating"`
	Variables   []Variable `json:"-"`

	// JSON is the file as it was read.
	JSON json.RawMessage `json:"-"`
}

type templating struct {
	List []Variable `json:"list"`
}

// A Panel is one picture of a dashboard, or a row of them.
type Panel struct {
	ID       int      `json:"id"`
	Type     string   `json:"type"`
	Title    string   `json:"title"`
	Interval string   `json:"interval"` // shortest bucket, as "10s"; empty: no bound
	Targets  []Target `json:"targets"`
	Panels   []Panel  `json:"panels"` // of a collapsed row

	// MaxDataPoints is how many buckets the panel has at most, 0 if it does not say.
	MaxDataPoints int `json:"maxDataPoints"`
}

// A Target is one query of a panel.
type Target struct {
	RefID  string `json:"refId"`
	RawSQL string `json:"rawSql"`
}

// Parse reads one dashboard.
func Parse(content []byte) (*Dashboard, error) {
	d := &Dashboard{JSON: json.RawMessage(content)}
	if err := json.Unmarshal(content, d); err != nil {
		return nil, fmt.Errorf("read dashboard: %w", err)
	}
	if d.UID == "" {
		return nil, fmt.Errorf("read dashboard %q: it has no uid", d.Title)
	}
	d.Variables = d.Templating.List
	for i := range d.Variables {
		if err := d.Variables[i].complete(); err != nil {
			return nil, fmt.Errorf("read dashboard %s: %w", d.UID, err)
		}
	}
	for _, panel := range d.AllPanels() {
		if _, err := panel.MinInterval(); err != nil {
			return nil, fmt.Errorf("read dashboard %s: %w", d.UID, err)
		}
	}
	return d, nil
}

// Load reads all dashboards of files, which are named netmeta-*.json, in the order
// of their names, netmeta-home first.
func Load(files fs.FS) ([]*Dashboard, error) {
	names, err := fs.Glob(files, "netmeta-*.json")
	if err != nil {
		return nil, fmt.Errorf("list dashboards: %w", err)
	}
	var dashboards []*Dashboard
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read dashboard: %w", err)
		}
		d, err := Parse(content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path.Base(name), err)
		}
		if slices.ContainsFunc(dashboards, func(other *Dashboard) bool { return other.UID == d.UID }) {
			return nil, fmt.Errorf("%s: another dashboard has uid %s, too", path.Base(name), d.UID)
		}
		dashboards = append(dashboards, d)
	}
	slices.SortStableFunc(dashboards, func(a, b *Dashboard) int {
		return rank(a) - rank(b)
	})
	return dashboards, nil
}

func rank(d *Dashboard) int {
	if d.UID == HomeUID {
		return 0
	}
	return 1
}

// HomeUID is the dashboard that the console opens first.
const HomeUID = "netmeta-home"

// AllPanels returns the panels, those of collapsed rows behind their row.
func (d *Dashboard) AllPanels() []*Panel {
	var all []*Panel
	var add func(panels []Panel)
	add = func(panels []Panel) {
		for i := range panels {
			all = append(all, &panels[i])
			add(panels[i].Panels)
		}
	}
	add(d.Panels)
	return all
}

// Panel returns the panel with an id, also out of a collapsed row.
func (d *Dashboard) Panel(id int) (*Panel, bool) {
	for _, panel := range d.AllPanels() {
		if panel.ID == id {
			return panel, true
		}
	}
	return nil, false
}

// Variable returns the variable of a name.
func (d *Dashboard) Variable(name string) (*Variable, bool) {
	for i := range d.Variables {
		if d.Variables[i].Name == name {
			return &d.Variables[i], true
		}
	}
	return nil, false
}

// Target returns the query of a panel by its refId; an empty one means the first.
func (p *Panel) Target(refID string) (*Target, bool) {
	for i := range p.Targets {
		if refID == "" || p.Targets[i].RefID == refID {
			return &p.Targets[i], true
		}
	}
	return nil, false
}

// Points is how many buckets the panel gets where there is room for so many.
func (p *Panel) Points(room int) int {
	if p.MaxDataPoints > 0 {
		return min(room, p.MaxDataPoints)
	}
	return room
}

// MinInterval is the shortest bucket that the panel wants, 0 if it does not say.
func (p *Panel) MinInterval() (time.Duration, error) {
	if p.Interval == "" {
		return 0, nil
	}
	d, err := parsePeriod(p.Interval)
	if err != nil {
		return 0, fmt.Errorf("panel %d: interval: %w", p.ID, err)
	}
	return d, nil
}
