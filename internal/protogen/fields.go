package main

import (
	"fmt"
	"regexp"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// fieldLabels are what a field's comment may say behind a label of its own; the
// text in front of the first label is its meaning.
var fieldLabels = []string{"Unit", "Column", "sFlow", "v5", "v9/IPFIX"}

var labelled = regexp.MustCompile(`^(` + strings.Join(fieldLabels, "|") + `): (.*)$`)

// fieldTable writes the fields of message as a Markdown page, in the order of
// their numbers. Fields without a comment share the one before them.
func fieldTable(message protoreflect.MessageDescriptor) string {
	var page strings.Builder
	fmt.Fprintf(&page, "# Fields of a %s\n\n", message.Name())
	page.WriteString("<!-- Made from pb/FlowMessage.proto by go generate ./pb: change it there. -->\n\n")
	page.WriteString("What a flow holds, and where each protocol carries it. IE is an [IANA IPFIX information element](https://www.iana.org/assignments/ipfix/ipfix.xhtml), which NetFlow v9 numbers alike. An empty cell: the protocol does not say.\n\n")
	page.WriteString("| Number | Field | Column of `flows_raw` | Meaning | Unit | sFlow | NetFlow v5 | NetFlow v9, IPFIX |\n|--:|---|---|---|---|---|---|---|\n")
	fields := message.Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		comment := message.ParentFile().SourceLocations().ByDescriptor(field).LeadingComments
		if comment == "" {
			continue
		}
		meaning, labels := parseComment(comment)
		fmt.Fprintf(&page, "| %d | %s | %s | %s | %s | %s | %s | %s |\n", field.Number(), field.Name(),
			column(field, labels), meaning, labels["Unit"], labels["sFlow"], labels["v5"], labels["v9/IPFIX"])
	}
	return page.String()
}

// tunnelFields are without a column: no decoder fills them yet.
const firstTunnelField, lastTunnelField = 43, 64

func column(field protoreflect.FieldDescriptor, labels map[string]string) string {
	switch n := field.Number(); {
	case labels["Column"] != "":
		return labels["Column"]
	case n >= firstTunnelField && n <= lastTunnelField:
		return ""
	}
	return string(field.Name())
}

func parseComment(comment string) (meaning string, labels map[string]string) {
	labels = map[string]string{}
	var words []string
	for line := range strings.Lines(comment) {
		line = strings.TrimSpace(line)
		if match := labelled.FindStringSubmatch(line); match != nil {
			labels[match[1]] = match[2]
		} else {
			words = append(words, line)
		}
	}
	return strings.ReplaceAll(strings.TrimSpace(strings.Join(words, " ")), "|", `\|`), labels
}
