package push

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"github.com/leoluk/NetMeta/internal/importer"
)

// Reasons why a record of a request is not decoded.
const (
	// NotUnpacked is for compressed records that are damaged, or unpack to too much.
	NotUnpacked importer.Reason = "not_unpacked"
	// Control is for messages by which CloudWatch Logs looks whether somebody listens.
	Control importer.Reason = "control"
)

// Firehose is the endpoint of Amazon Data Firehose ("Understand HTTP endpoint delivery
// request and response specifications" in its developer guide).
//
// Records are lines of flow logs, or the objects around them that VPC flow logs publish
// ({"message": LINE}), or what a subscription filter of CloudWatch Logs makes of them
// (JSON with logEvents, compressed by gzip).
type Firehose struct {
	Keys Secrets // one is in the header X-Amz-Firehose-Access-Key
}

const (
	maxFirehose = 64 << 20 // on the wire, which the documentation says
	// A buffer of 64 MiB grows by a third as base64.
	maxFirehoseUnpacked = 96 << 20
	// maxRecordUnpacked bounds what one record unpacks to. A record has up to 1 MB, and
	// flow logs are packed to a tenth or so.
	maxRecordUnpacked = 64 << 20
	maxID             = 256
)

// MaxBody implements Endpoint.
func (*Firehose) MaxBody() (wire, unpacked int64) { return maxFirehose, maxFirehoseUnpacked }

// Authorize implements Endpoint.
func (f *Firehose) Authorize(r *http.Request) error {
	if f.Keys.has(r.Header.Get("X-Amz-Firehose-Access-Key")) {
		return nil
	}
	return fail(http.StatusUnauthorized, unauthorized, "the access key is missing or wrong: it has to be one of those in --access-key-file")
}

// Parse implements Endpoint.
func (f *Firehose) Parse(r *http.Request, body []byte, memory *Memory) (d importer.Delivery, err error) {
	if err := memory.take(int64(len(body))); err != nil { // what base64 is of
		return d, err
	}
	var request struct {
		RequestID string `json:"requestId"`
		Records   []struct {
			Data []byte `json:"data"`
		} `json:"records"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return d, fail(http.StatusBadRequest, malformed, "the body is no request of Firehose: %v", err)
	}
	id, inBody := r.Header.Get(firehoseID), request.RequestID
	switch {
	case id == "":
		id = inBody
	case inBody != "" && inBody != id:
		return d, fail(http.StatusBadRequest, malformed, "requestId and the header %s differ", firehoseID)
	}
	if id == "" || len(id) > maxID {
		return d, fail(http.StatusBadRequest, malformed, "there is no request id of up to %d bytes: without one, a request that comes twice would count twice", maxID)
	}
	if request.Records == nil {
		return d, fail(http.StatusBadRequest, malformed, "the body has no records")
	}
	d.ID, d.Name = importer.NewDeliveryID("firehose", id), quoted(id)
	for _, record := range request.Records {
		part, err := linesOf(record.Data, memory)
		if err != nil {
			return d, err
		}
		d.Parts = append(d.Parts, part)
	}
	return d, nil
}

const firehoseID = "X-Amz-Firehose-Request-Id"

// linesOf returns the lines of flow logs in a record.
func linesOf(data []byte, memory *Memory) (importer.Part, error) {
	if bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		unpacked, err := memory.unpack(data, maxRecordUnpacked)
		if err == errMemory {
			return importer.Part{}, err
		}
		if err != nil {
			return importer.Part{Reason: NotUnpacked, Problem: err.Error()}, nil
		}
		data = unpacked
	}
	if start := bytes.TrimLeft(data, " \t\r\n"); len(start) == 0 || start[0] != '{' {
		return importer.Part{Data: data}, nil
	}
	return unwrap(data, memory)
}

// wrapped is what lines are wrapped into.
type wrapped struct {
	Message     *string `json:"message"`     // of VPC flow logs
	MessageType string  `json:"messageType"` // of CloudWatch Logs
	LogEvents   []struct {
		Message string `json:"message"`
	} `json:"logEvents"`
}

// unwrap returns the lines in one or more objects. Where one is broken, it and what comes
// behind it is one record, as the end of a broken object cannot be found.
func unwrap(data []byte, memory *Memory) (importer.Part, error) {
	if err := memory.take(2 * int64(len(data))); err != nil { // texts, and lines of them
		return importer.Part{}, err
	}
	var lines []byte
	control := false
	objects := json.NewDecoder(bytes.NewReader(data))
	for objects.More() {
		from := objects.InputOffset()
		var w wrapped
		if err := objects.Decode(&w); err != nil {
			lines = appendLine(lines, string(data[from:]))
			break
		}
		switch {
		case w.MessageType == "CONTROL_MESSAGE":
			control = true
		case w.Message != nil:
			lines = appendLine(lines, *w.Message)
		case w.MessageType == "DATA_MESSAGE":
			for _, event := range w.LogEvents {
				lines = appendLine(lines, event.Message)
			}
		default:
			lines = appendLine(lines, string(data[from:objects.InputOffset()]))
		}
	}
	if lines == nil && control {
		return importer.Part{Reason: Control}, nil
	}
	return importer.Part{Data: lines}, nil
}

// appendLine appends a line, whatever it has in it: a message is one record.
func appendLine(lines []byte, text string) []byte {
	start := len(lines)
	lines = append(lines, text...)
	for i, c := range bytes.TrimRight(lines[start:], "\r\n") {
		if c == '\n' {
			lines[start+i] = ' '
		}
	}
	if len(lines) == start || lines[len(lines)-1] != '\n' {
		lines = append(lines, '\n')
	}
	return lines
}

// Answer implements Endpoint.
func (f *Firehose) Answer(w http.ResponseWriter, r *http.Request, status int, message string) {
	answer, err := json.Marshal(struct {
		RequestID    string `json:"requestId"`
		Timestamp    int64  `json:"timestamp"` // milliseconds since 1970
		ErrorMessage string `json:"errorMessage,omitempty"`
	}{r.Header.Get(firehoseID), time.Now().UnixMilli(), message})
	if err != nil {
		panic(err) // text and a number
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(answer) // fails only if the sender has gone
}
