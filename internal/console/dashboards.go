package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/leoluk/NetMeta/internal/dashboard"
)

const (
	defaultPoints = 600
	maxPoints     = 10_000
)

// dashboardInfo is a dashboard in the list of all.
type dashboardInfo struct {
	UID         string   `json:"uid"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
}

func (a *api) serveDashboards(w http.ResponseWriter, r *http.Request) {
	list := []dashboardInfo{}
	for _, d := range a.config.Dashboards {
		list = append(list, dashboardInfo{d.UID, d.Title, d.Description, d.Tags})
	}
	writeValue(w, r, list)
}

func (a *api) serveDashboard(w http.ResponseWriter, r *http.Request) {
	d, ok := a.dashboard(r.PathValue("uid"))
	if !ok {
		unknownDashboard(r.PathValue("uid")).write(w)
		return
	}
	writeCompressed(w, r, d.JSON)
}

func (a *api) dashboard(uid string) (*dashboard.Dashboard, bool) {
	for _, d := range a.config.Dashboards {
		if d.UID == uid {
			return d, true
		}
	}
	return nil, false
}

func unknownDashboard(uid string) failure {
	f := badRequest("there is no dashboard %q", shortMessage(uid))
	f.status = http.StatusNotFound
	f.Hint = "The menu has all dashboards."
	return f
}

// view is what a request says of the dashboard that somebody looks at.
type view struct {
	Dashboard string           `json:"dashboard"`
	From      float64          `json:"from"` // seconds since 1970
	To        float64          `json:"to"`
	Variables dashboard.Values `json:"variables"`
}

// scope is what statements of the view are expanded with.
func (a *api) scope(v view) (dashboard.Scope, *failure) {
	d, ok := a.dashboard(v.Dashboard)
	if !ok {
		f := unknownDashboard(v.Dashboard)
		return dashboard.Scope{}, &f
	}
	s := dashboard.Scope{Dashboard: d, From: unixTime(v.From), To: unixTime(v.To), Interval: time.Second, Values: v.Variables}
	// Beyond the year 2106 ClickHouse's times begin anew.
	if v.From < 0 || v.To > 1<<32-1 || !s.From.Before(s.To) {
		f := badRequest("the time range has to begin in 1970 or later, before it ends")
		f.Hint = "Choose another time range."
		return dashboard.Scope{}, &f
	}
	return s, nil
}

// readScope reads a request, of which v is the view, and returns its scope; where it
// cannot be, it has answered.
func (a *api) readScope(w http.ResponseWriter, r *http.Request, request any, v *view) (scope dashboard.Scope, ok bool) {
	if !readRequest(w, r, request) {
		return dashboard.Scope{}, false
	}
	scope, wrong := a.scope(*v)
	if wrong != nil {
		wrong.write(w)
	}
	return scope, wrong == nil
}

func unixTime(seconds float64) time.Time { return time.UnixMilli(int64(seconds * 1000)) }

type queryRequest struct {
	view
	Panel  int    `json:"panel"`
	Target string `json:"target"` // its refId; the first one if empty
	Points int    `json:"points"` // how many buckets are wanted, about
}

func (a *api) serveQuery(w http.ResponseWriter, r *http.Request) {
	var request queryRequest
	scope, ok := a.readScope(w, r, &request, &request.view)
	if !ok {
		return
	}
	panel, ok := scope.Dashboard.Panel(request.Panel)
	if !ok {
		badRequest("dashboard %s has no panel %d", request.Dashboard, request.Panel).write(w)
		return
	}
	target, ok := panel.Target(request.Target)
	if !ok {
		badRequest("panel %d of dashboard %s has no query %q", request.Panel, request.Dashboard, shortMessage(request.Target)).write(w)
		return
	}
	if request.Points <= 0 {
		request.Points = defaultPoints
	}
	shortest, _ := panel.MinInterval() // read when the dashboard was
	scope.Interval = dashboard.Interval(scope.From, scope.To, panel.Points(min(request.Points, maxPoints)), shortest)
	sql, err := scope.Expand(target.RawSQL)
	if err != nil {
		explainExpansion(err).write(w)
		return
	}
	t, err := a.asker.ask(r.Context(), who(r), sql, panelBounds)
	if err != nil {
		f := explain(err)
		if wrong := a.checkCondition(r, scope.Dashboard, scope.Values); f.Kind == kindQuery && wrong != nil {
			f = *wrong
		}
		f.SQL = sql
		a.refuse(w, r, f)
		return
	}
	writeCompressed(w, r, encodeTable(t, sql, scope.Interval))
}

// refuse answers with a failure, if anybody still waits for an answer.
func (a *api) refuse(w http.ResponseWriter, r *http.Request, f failure) {
	if r.Context().Err() == nil {
		f.write(w)
	}
}

// checkCondition asks ClickHouse whether the SQL condition among values is one for
// itself, since an error of the statement around it would not say whose it is. It
// returns nil if there is nothing to say, also where ClickHouse cannot be asked.
func (a *api) checkCondition(r *http.Request, d *dashboard.Dashboard, values dashboard.Values) *failure {
	name, condition, ok := d.Condition(values)
	if !ok || dashboard.CheckCondition(condition) != nil {
		return nil
	}
	_, err := a.asker.ask(r.Context(), who(r), "SELECT 1\nFROM flows_raw\nWHERE ("+condition+") AND 0", variableBounds)
	if err == nil {
		return nil
	}
	f := explain(err)
	if f.Kind != kindQuery {
		return nil
	}
	f.Kind, f.Variable = kindVariable, name
	return &f
}

// explainExpansion is explain for an error of Expand: what is not a value's fault is
// the statement's.
func explainExpansion(err error) failure {
	var wrong *dashboard.ValueError
	if errors.As(err, &wrong) {
		return explain(err)
	}
	return badRequest("%s", err)
}

// encodeTable writes an answer around rows that are JSON already.
func encodeTable(t *table, sql string, interval time.Duration) []byte {
	size := 1000 + len(sql)
	for _, row := range t.rows {
		size += len(row) + 2
	}
	if t.columns == nil {
		t.columns = []column{}
	}
	// Strings and numbers always have a JSON form.
	columns, _ := json.Marshal(t.columns)
	statement, _ := json.Marshal(sql)
	out := append(make([]byte, 0, size), `{"columns":`...)
	out = append(append(out, columns...), `,"rows":[`...)
	for i, row := range t.rows {
		if i > 0 {
			out = append(out, ',', '\n')
		}
		out = append(out, row...)
	}
	out = append(append(out, `],"sql":`...), statement...)
	return fmt.Appendf(out, `,"interval":%g,"elapsed_ms":%d,"waited_ms":%d,"rows_read":%d,"bytes_read":%d,"truncated":%t}`,
		interval.Seconds(), t.elapsed.Milliseconds(), t.waited.Milliseconds(), t.read.Rows, t.read.Bytes, t.truncated)
}

type variableRequest struct {
	view
	Name string `json:"name"`
}

// serveVariable answers with the options of a variable, without the one for all.
func (a *api) serveVariable(w http.ResponseWriter, r *http.Request) {
	var request variableRequest
	scope, ok := a.readScope(w, r, &request, &request.view)
	if !ok {
		return
	}
	v, ok := scope.Dashboard.Variable(request.Name)
	if !ok {
		badRequest("dashboard %s has no variable %q", request.Dashboard, shortMessage(request.Name)).write(w)
		return
	}
	if v.Type != dashboard.TypeQuery {
		options := v.Options
		if options == nil {
			options = []dashboard.Option{}
		}
		writeValue(w, r, map[string]any{"options": options})
		return
	}
	sql, err := scope.Expand(v.Query)
	if err != nil {
		explainExpansion(err).write(w)
		return
	}
	t, err := a.asker.ask(r.Context(), who(r), sql, variableBounds)
	if err != nil {
		f := explain(err)
		f.SQL = sql
		a.refuse(w, r, f)
		return
	}
	options, err := readOptions(t)
	if err != nil {
		badRequest("variable %s: %v", v.Name, err).write(w)
		return
	}
	writeValue(w, r, map[string]any{"options": options, "truncated": t.truncated})
}

// readOptions makes options of a result: the value and, in a second column, the text.
// Columns that are named so may come in any order.
func readOptions(t *table) ([]dashboard.Option, error) {
	value, text := 0, min(1, len(t.columns)-1)
	for i, c := range t.columns {
		switch c.Name {
		case "value", "__value":
			value = i
		case "text", "__text":
			text = i
		}
	}
	options := make([]dashboard.Option, 0, len(t.rows))
	for _, row := range t.rows {
		var cells []any
		if err := json.Unmarshal(row, &cells); err != nil {
			return nil, fmt.Errorf("read its options: %w", err)
		}
		options = append(options, dashboard.Option{Text: fmt.Sprint(cells[text]), Value: fmt.Sprint(cells[value])})
	}
	return options, nil
}

func (a *api) serveCheck(w http.ResponseWriter, r *http.Request) {
	var request view
	if !readRequest(w, r, &request) {
		return
	}
	d, ok := a.dashboard(request.Dashboard)
	if !ok {
		unknownDashboard(request.Dashboard).write(w)
		return
	}
	wrong := d.Check(request.Variables)
	if f := a.checkCondition(r, d, request.Variables); f != nil {
		wrong[f.Variable] = f.Error
	}
	writeValue(w, r, map[string]any{"errors": wrong})
}
