package singlenode_test

import (
	"encoding/json"
	"maps"
	"testing"

	"cuelang.org/go/cue"
)

// references are fields that name an object, and its kind.
var references = map[string]struct{ field, kind string }{
	"configMap":             {"name", "ConfigMap"},
	"configMapKeyRef":       {"name", "ConfigMap"},
	"secret":                {"secretName", "Secret"},
	"secretKeyRef":          {"name", "Secret"},
	"persistentVolumeClaim": {"claimName", "PersistentVolumeClaim"},
}

// A Pod that refers to what is not there waits for it, for ever.
func TestWhatPodsReferToIsApplied(t *testing.T) {
	// Those of the example that are said to be there already.
	there := map[string]bool{"Secret/wildcard": true}
	for name, source := range variants {
		t.Run(name, func(t *testing.T) {
			value, err := evaluate(t, source)
			if err != nil {
				t.Fatal(err)
			}
			text, err := value.LookupPath(cue.ParsePath("k8s")).MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			var objects map[string]map[string]any
			if err := json.Unmarshal(text, &objects); err != nil {
				t.Fatal(err)
			}
			applied := maps.Clone(there)
			for kind, named := range objects {
				for name := range named {
					applied[kind+"/"+name] = true
				}
			}
			for kind, named := range objects {
				for name, object := range named {
					wantReferences(t, kind+"/"+name, object, applied)
				}
			}
		})
	}
}

// wantReferences fails where something in a part of an object refers to what is not
// applied.
func wantReferences(t *testing.T, object string, part any, applied map[string]bool) {
	t.Helper()
	switch part := part.(type) {
	case []any:
		for _, element := range part {
			wantReferences(t, object, element, applied)
		}
	case map[string]any:
		for field, value := range part {
			wantReferences(t, object, value, applied)
			reference, known := references[field]
			if !known {
				continue
			}
			if values, is := value.(map[string]any); is {
				if name, is := values[reference.field].(string); is && !applied[reference.kind+"/"+name] {
					t.Errorf("%s refers to %s/%s, which nobody applies", object, reference.kind, name)
				}
			}
		}
	}
}
