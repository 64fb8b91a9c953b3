package jsonline_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/importer/jsonline"
)

type record struct {
	A, Number, Deep string
	Within          bool
}

type field = jsonline.Field[record]

func set(of func(r *record) *string) func(*record, []byte) bool {
	return func(r *record, v []byte) bool { *of(r) = string(v); return string(v) != "refused" }
}

var fields = []field{
	{Name: "a", Set: set(func(r *record) *string { return &r.A })},
	{Name: "number", Set: set(func(r *record) *string { return &r.Number })},
	{Name: "b", Set: func(r *record, v []byte) bool { r.Within = true; return v == nil }, Fields: []field{
		{Name: "deep", Set: set(func(r *record) *string { return &r.Deep })},
	}},
}

func TestWantedFieldsAreReadAndOthersSkipped(t *testing.T) {
	r := jsonline.New(fields)
	for line, want := range map[string]record{
		`{}`: {},
		` {"x":[1,{"a":"not this"}],"a":"\u00e4\n\"","number":-1.5e3,"b":{"x":{},"deep":"d"},"y":null} `: {A: "ä\n\"", Number: "-1.5e3", Deep: "d", Within: true},
		`{"a":"1","a":"2","b":null}`: {A: "2"},
		`{"\u0061":true,"b":{}}`:     {A: "true", Within: true},
		"{\"a\":\"\xff\"}":           {A: "\xff"},
	} {
		var got record
		if err := r.Read([]byte(line), &got); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", line, got, err, want)
		}
	}
}

func TestWhatIsNoSuchObjectIsAnError(t *testing.T) {
	r := jsonline.New(fields)
	for line, want := range map[string]string{
		``:                                   "EOF",
		`[{"a":"1"}]`:                        "no object",
		`"a"`:                                "no object",
		`{"a":"1"} {`:                        "behind the object",
		`{"a":"1"`:                           "EOF",
		`{"a" "1"}`:                          "invalid",
		`{"a":{"b":"1"}}`:                    "a is",
		`{"b":"text"}`:                       "b is",
		`{"a":["` + "\x1b" + `x"]}`:          "invalid",
		`{"number":"refused"}`:               `number is "\"refused\""`,
		`{"a":` + strings.Repeat(`[`, 20000): "depth",
	} {
		if err := r.Read([]byte(line), &record{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", line, err, want)
		}
	}
}

// The reader takes what encoding/json takes, and refuses what that refuses.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{`{"a":"x","b":{"deep":1}}`, `{"a":1} x`, `[]`, `{"b":[]}`, "{\"a\":\"\\ud800\"}"} {
		f.Add(seed)
	}
	r := jsonline.New(fields)
	f.Fuzz(func(t *testing.T, line string) {
		var object map[string]json.RawMessage
		isObject := json.Unmarshal([]byte(line), &object) == nil && object != nil
		err := r.Read([]byte(line), &record{})
		if err == nil && !isObject {
			t.Errorf("%q is read", line)
		}
		if err != nil && isObject && object["a"] == nil && object["number"] == nil && object["b"] == nil {
			t.Errorf("%q is not read: %v", line, err)
		}
	})
}
