package console

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
)

//go:embed web/dist
var embedded embed.FS

// pages are the addresses of the page, which shows what its address says.
var pages = []string{"/{$}", "/d/{uid}", "/d/{uid}/{slug}", "/sql", "/alerts", "/path", "/setup", "/login"}

// asset is a file as it is sent.
type asset struct {
	contentType string
	plain       []byte
	zipped      []byte // nil where compressing gains nothing
}

func serveAssets(mux *http.ServeMux) {
	for name, a := range loadAssets() {
		if name == "index.html" {
			for _, page := range pages {
				mux.HandleFunc("GET "+page, func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, "no-cache") })
			}
			continue
		}
		// Vite puts a hash of the content into the names below assets: browsers keep
		// these for ever and still never mix files of two versions.
		cacheControl := "no-cache"
		if strings.HasPrefix(name, "assets/") {
			cacheControl = "public, max-age=31536000, immutable"
		}
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, cacheControl) })
	}
}

// loadAssets returns the embedded files by their path below web/dist.
func loadAssets() map[string]asset {
	assets := map[string]asset{}
	err := fs.WalkDir(embedded, "web/dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		name = strings.TrimPrefix(name, "web/dist/")
		assets[name] = newAsset(name, content)
		return nil
	})
	if err != nil {
		// The files are part of the binary: this cannot happen to a user.
		panic(fmt.Sprintf("read the embedded files of the console: %v", err))
	}
	return assets
}

// contentTypes are not left to package mime, which asks the system's tables.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

func newAsset(name string, content []byte) asset {
	contentType := contentTypes[path.Ext(name)]
	if contentType == "" {
		contentType = "text/plain; charset=utf-8"
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	// Writing to a bytes.Buffer does not fail.
	_, _ = w.Write(content)
	_ = w.Close()
	a := asset{contentType: contentType, plain: content}
	if zipped.Len() < len(content) {
		a.zipped = zipped.Bytes()
	}
	return a
}

func (a asset) serve(w http.ResponseWriter, r *http.Request, cacheControl string) {
	header := w.Header()
	header.Set("Content-Type", a.contentType)
	header.Set("Cache-Control", cacheControl)
	header.Set("Vary", "Accept-Encoding")
	body := a.plain
	if a.zipped != nil && acceptsGzip(r) {
		header.Set("Content-Encoding", "gzip")
		body = a.zipped
	}
	// A failed write means that the browser is gone.
	_, _ = w.Write(body)
}

func acceptsGzip(r *http.Request) bool {
	for _, coding := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, params, err := mime.ParseMediaType(strings.TrimSpace(coding))
		if err == nil && name == "gzip" && params["q"] != "0" {
			return true
		}
	}
	return false
}
