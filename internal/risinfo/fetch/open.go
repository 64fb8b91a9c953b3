package fetch

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
)

// Content is a file that is being read, decompressed where it was compressed (bzip2, gzip).
type Content struct {
	*bufio.Reader
	Text bool // it holds lines, and no binary records

	file *os.File
}

// Close closes the file.
func (c *Content) Close() error { return c.file.Close() }

// ErrEmpty is the error of a file without a byte.
var ErrEmpty = errors.New("it is empty")

const readBuffer = 1 << 20

// Open opens a file. What it is goes by its first bytes, not by its name. A web page is
// refused: servers and proxies send one, with status 200, where something is wrong.
func Open(path string) (*Content, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	c, err := open(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", path, err), file.Close())
	}
	return c, nil
}

func open(file *os.File) (*Content, error) {
	c := &Content{Reader: bufio.NewReaderSize(file, readBuffer), file: file}
	head, err := c.Peek(3)
	switch {
	case len(head) == 0:
		return nil, errors.Join(ErrEmpty, ignoreEOF(err))
	case string(head) == "BZh":
		c.Reader = bufio.NewReaderSize(bzip2.NewReader(c.Reader), readBuffer)
	case head[0] == 0x1f && len(head) > 1 && head[1] == 0x8b:
		unzipped, err := gzip.NewReader(c.Reader)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		c.Reader = bufio.NewReaderSize(unzipped, readBuffer)
	}
	head, err = c.Peek(64)
	if len(head) == 0 {
		if err := ignoreEOF(err); err != nil {
			return nil, err
		}
		return nil, ErrEmpty
	}
	if bytes.HasPrefix(bytes.TrimLeft(head, "\xef\xbb\xbf \t\r\n"), []byte("<")) {
		return nil, errors.New("it is a web page or XML, and no table")
	}
	// Numbers of MRT records have zero bytes; no text has.
	c.Text = bytes.IndexByte(head, 0) < 0
	return c, nil
}

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
