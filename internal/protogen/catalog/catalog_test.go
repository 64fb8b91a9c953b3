package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/protogen/catalog"
)

const definition = `syntax = "proto3";
message Flow {
  // How it came, by UDP | TCP.
  // The second line.
  // Unit: bytes
  // sFlow: a record
  // v5: a field
  // v9/IPFIX: IE 1, else 2
  uint32 Plain = 1;
  // Renamed.
  // Column: Other
  uint32 Renamed = 2;
  // Implied.
  // Column: (Other)
  bool Implied = 3;
  // Not stored.
  // Column: (none)
  uint32 Lost = 1001;
}`

func TestCommentSaysWhatAFieldIsAndWhereItGoes(t *testing.T) {
	got, err := catalog.Read(t.Context(), "flow.proto", definition)
	if err != nil {
		t.Fatal(err)
	}
	want := []catalog.Field{
		{Number: 1, Name: "Plain", Meaning: `How it came, by UDP \| TCP. The second line.`, Unit: "bytes", Column: "Plain", SFlow: "a record", NetFlow5: "a field", NetFlow9: "IE 1, else 2"},
		{Number: 2, Name: "Renamed", Meaning: "Renamed.", Column: "Other"},
		{Number: 3, Name: "Implied", Meaning: "Implied.", Column: "Other", Implied: true},
		{Number: 1001, Name: "Lost", Meaning: "Not stored."},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestFieldWithoutACommentIsRefused(t *testing.T) {
	_, err := catalog.Read(t.Context(), "flow.proto", `syntax = "proto3"; message Flow { uint32 Silent = 1; }`)
	if err == nil || !strings.Contains(err.Error(), "Flow.Silent has no comment") {
		t.Errorf("got %v, want the field that has no comment", err)
	}
}
