package main

import (
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/protogen/catalog"
	"github.com/leoluk/NetMeta/pb"
)

func flowFields(t *testing.T) []catalog.Field {
	t.Helper()
	fields, err := catalog.Read(t.Context(), flowFile, pb.Definition)
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

func TestEveryFieldStandsOnceInTheTableOfProtocols(t *testing.T) {
	fields := flowFields(t)
	page, err := protocolsPage(fields)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields {
		if n := strings.Count(page, "\n| "+f.Name+" | "); n != 1 {
			t.Errorf("field %s stands %d times in the tables", f.Name, n)
		}
	}
}

func TestFieldThatBelongsNowhereIsRefused(t *testing.T) {
	fields := flowFields(t)
	if _, err := protocolsPage(append(fields, catalog.Field{Name: "New"})); err == nil || !strings.Contains(err.Error(), "field New is in no group") {
		t.Errorf("a field without a group: %v", err)
	}
	if _, err := protocolsPage(fields[1:]); err == nil || !strings.Contains(err.Error(), "no field Type") {
		t.Errorf("a group with a field that does not exist: %v", err)
	}
}

func TestCellSaysWhoKnowsAField(t *testing.T) {
	var table strings.Builder
	writeTable(&table, matrix, []catalog.Field{
		{Name: "Own", Column: "Own"},
		{Name: "OfSFlow", Column: "Other", Implied: true, SFlow: "a record"},
		{Name: "Lost", NetFlow9: "IE 1"},
	})
	want := `| Field | Column | sFlow | NetFlow v5 | NetFlow v9, IPFIX |
| --- | --- | --- | --- | --- |
| Own | Own | *collector* | *collector* | *collector* |
| OfSFlow | implied by Other | a record | – | – |
| Lost | not stored | – | – | IE 1 |
`
	if table.String() != want {
		t.Errorf("got\n%s\nwant\n%s", table.String(), want)
	}
}
