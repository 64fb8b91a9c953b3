package dashboard

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Types of variables that dashboards have.
const (
	TypeTextBox    = "textbox"    // what somebody writes
	TypeQuery      = "query"      // one or several of what a statement gives
	TypeCustom     = "custom"     // one or several of a fixed list
	TypeConstant   = "constant"   // always the same
	TypeDatasource = "datasource" // a data source of Grafana
	TypeInterval   = "interval"   // one of a fixed list of durations
)

// All is the value of a variable that stands for everything.
const All = "$__all"

// A Variable is something to choose at the top of a dashboard.
type Variable struct {
	Name       string          `json:"name"`
	Label      string          `json:"label"`
	Type       string          `json:"type"`
	Multi      bool            `json:"multi"`
	IncludeAll bool            `json:"includeAll"`
	AllValue   string          `json:"allValue"`
	Options    []Option        `json:"options"`
	RawQuery   json.RawMessage `json:"query"`
	Current    current         `json:"current"`

	// Query is the statement of a query variable, the list of a custom one, and the
	// text of a text box or constant.
	Query string `json:"-"`
}

// An Option is one value of a variable, and the text for it that people see.
type Option struct {
	Text  string `json:"text"`
	Value string `json:"value"`
}

type current struct {
	Value texts `json:"value"`
}

// texts reads a string, or a list of them.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(content []byte) error {
	var one string
	if json.Unmarshal(content, &one) == nil {
		*t = nil
		if one != "" {
			*t = texts{one}
		}
		return nil
	}
	var several []string
	err := json.Unmarshal(content, &several)
	*t = several
	return err
}

// UnmarshalJSON implements json.Unmarshaler. Grafana writes the text of an option of
// a variable for several values as a list.
func (o *Option) UnmarshalJSON(content []byte) error {
	var raw struct{ Text, Value texts }
	if err := json.Unmarshal(content, &raw); err != nil {
		return err
	}
	o.Text, o.Value = strings.Join(raw.Text, " + "), strings.Join(raw.Value, ",")
	return nil
}

// complete fills in what the JSON says in one of several ways.
func (v *Variable) complete() error {
	if v.Name == "" {
		return fmt.Errorf("a variable has no name")
	}
	if len(v.RawQuery) > 0 && json.Unmarshal(v.RawQuery, &v.Query) != nil {
		// The data source's own form of a query.
		var object struct {
			RawSQL string `json:"rawSql"`
			Query  string `json:"query"`
		}
		if err := json.Unmarshal(v.RawQuery, &object); err != nil {
			return fmt.Errorf("variable %s: query: %w", v.Name, err)
		}
		v.Query = object.RawSQL + object.Query
	}
	if (v.Type == TypeCustom || v.Type == TypeInterval) && len(v.Options) == 0 {
		v.Options = customOptions(v.Query)
	}
	v.Options = slices.DeleteFunc(v.Options, func(o Option) bool { return o.Value == All })
	return nil
}

// customOptions reads the list of a custom variable: `a, b` or `text : value, ...`.
func customOptions(list string) []Option {
	var options []Option
	for _, item := range strings.Split(list, ",") {
		text, value, named := strings.Cut(item, " : ")
		text = strings.TrimSpace(text)
		if value = strings.TrimSpace(value); !named {
			value = text
		}
		if value != "" {
			options = append(options, Option{Text: text, Value: value})
		}
	}
	return options
}

// Values are the chosen values of variables by name. What is missing has the
// variable's default; All stands for everything.
type Values map[string][]string

// of returns what is chosen for v: the default where nothing is said, none where it
// is empty.
func (values Values) of(v *Variable) []string {
	chosen, said := values[v.Name]
	if !said || v.Type == TypeConstant {
		chosen = v.defaults()
	}
	chosen = slices.DeleteFunc(slices.Clone(chosen), func(value string) bool { return strings.TrimSpace(value) == "" })
	if slices.Contains(chosen, All) {
		return []string{All}
	}
	return chosen
}

// defaults is what is chosen while nobody has chosen.
func (v *Variable) defaults() []string {
	switch {
	case v.Type == TypeConstant && v.Query != "":
		return []string{v.Query}
	case len(v.Current.Value) > 0:
		return v.Current.Value
	case v.Type == TypeTextBox && v.Query != "":
		return []string{v.Query}
	case v.IncludeAll:
		return []string{All}
	case v.Type == TypeCustom && len(v.Options) > 0:
		return []string{v.Options[0].Value}
	}
	return nil
}

// everything reports whether chosen does not restrict anything: it is All, or empty.
func everything(chosen []string) bool {
	return len(chosen) == 0 || chosen[0] == All
}
