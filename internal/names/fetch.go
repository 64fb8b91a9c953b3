package names

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
)

// origin is a file or URL, of which it is known what was read last, so that it is only
// read again when it has changed.
type origin struct {
	etag     string
	modified string
}

// fetch returns what is in a file, or at a URL, of at most so many bytes; nil where nothing
// has changed.
func (o *origin) fetch(ctx context.Context, url, file string, most int64) ([]byte, error) {
	if file != "" {
		return o.read(file, most)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if o.etag != "" {
		request.Header.Set("If-None-Match", o.etag)
	}
	if o.modified != "" {
		request.Header.Set("If-Modified-Since", o.modified)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusNotModified:
		return nil, nil
	case http.StatusOK:
	default:
		return nil, fmt.Errorf("it answers %s", answer.Status)
	}
	var text bytes.Buffer
	if n := answer.ContentLength; n > 0 && n <= most {
		text.Grow(int(n) + bytes.MinRead)
	}
	if _, err := text.ReadFrom(io.LimitReader(answer.Body, most+1)); err != nil {
		return nil, err
	}
	if int64(text.Len()) > most {
		return nil, fmt.Errorf("it has more than %d bytes", most)
	}
	o.etag, o.modified = answer.Header.Get("ETag"), answer.Header.Get("Last-Modified")
	return text.Bytes(), nil
}

func (o *origin) read(file string, most int64) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	modified := info.ModTime().String() + fmt.Sprint(info.Size())
	switch {
	case modified == o.modified:
		return nil, nil
	case info.Size() > most:
		return nil, fmt.Errorf("it has %d bytes, more than %d", info.Size(), most)
	}
	o.modified = modified
	return os.ReadFile(file)
}
