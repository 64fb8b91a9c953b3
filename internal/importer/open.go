package importer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/leoluk/NetMeta/internal/parquet"
)

// file is what is read: a file on the disk, or an object.
type file interface {
	io.ReadSeekCloser
	io.ReaderAt // of its beginning
	Stat() (fs.FileInfo, error)
}

// input is a file or an object that is being read.
type input struct {
	path    string
	file    file
	id      objectID // of an object
	etag    string   // likewise
	done    bool     // an object was read to its end
	place   place
	content io.Reader // of file, without compression
	packed  bool      // it is compressed
	closer  io.Closer // of what takes the compression away
	closed  bool
	known   *known
	decoder Decoder
	rows    Rows // instead of decoder
	state   *FileState
	chunk   *chunk // that has records of it

	head   []byte // what it begins with, up to printBytes
	run    *run   // has its buffer when it is closed
	buffer []byte
	start  int   // of what is not decoded in buffer
	at     int64 // offset of buffer[start], without compression
	behind int64 // offset up to which records are only read again: see Rereader
	size   int64
	record uint64 // number of records since it was opened
}

const readBytes = 256 << 10

// open opens a file and goes to where it was read up to.
func (r *run) open(path string) (*input, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	in := &input{path: path, file: file, known: r.known}
	if err := r.prepare(in); err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

func (r *run) prepare(in *input) error {
	in.run, in.buffer, r.spare = r, r.spare, nil
	info, err := in.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is no regular file: only those can be read on from where a run stopped")
	}
	in.size = info.Size()
	if in.etag == "" {
		in.place = placeOf(info)
	}
	var magic [4]byte
	n, err := in.file.ReadAt(magic[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	start := string(magic[:n])
	if is, err := r.isParquet(in, start); err != nil {
		return err
	} else if is {
		return r.prepareRows(in)
	}
	if err := in.unpack(start); err != nil {
		return err
	}
	buffered := bufio.NewReaderSize(in.content, printBytes)
	head, err := buffered.Peek(printBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return in.explain(err)
	}
	if strings.HasPrefix(string(head), parquet.Magic) {
		return errors.New("it is Parquet that was compressed as a whole: take the compression off first")
	}
	in.content = buffered
	if err := r.identify(in, slices.Clone(head), len(head) < printBytes); err != nil {
		return err
	}
	return r.resume(in)
}

// identify finds out how far a file that begins with head was read.
func (r *run) identify(in *input, head []byte, whole bool) error {
	in.head = head
	if in.etag != "" {
		in.state = r.known.byObject[in.id]
	} else {
		in.state = r.known.find(in.place, in.head, whole)
	}
	if in.state == nil {
		if old := r.known.byPlace[in.place]; old != nil && old.Offset > in.size && !in.packed {
			r.truncated(in.path, old.Offset, in.size)
		}
		in.state = r.known.begin()
	}
	if in.state.reader != nil {
		return errInUse
	}
	in.state.reader = in
	return nil
}

// errInUse is returned for a copy of a file that is being read: what has come to both is
// the same.
var errInUse = errors.New("it is a copy of a file that is being read")

// resume goes to where the file was read up to.
func (r *run) resume(in *input) (err error) {
	offset := in.state.Offset
	if !in.packed && offset > in.size { // the same beginning, and less of it
		r.truncated(in.path, offset, in.size)
		offset = in.size
	}
	if in.decoder, err = r.cfg.Format.New(in.state.State); err != nil {
		return err
	}
	in.behind = 0
	if _, again := in.decoder.(Rereader); again {
		in.behind, offset = offset, 0
	}
	if !in.packed {
		if _, err := in.file.Seek(offset, io.SeekStart); err != nil {
			return err
		}
		in.content = in.file
	} else if _, err := io.CopyN(io.Discard, in.content, offset); err != nil && !errors.Is(err, io.EOF) {
		return in.explain(err)
	}
	in.at, in.buffer, in.start = offset, in.buffer[:0], 0
	return nil
}

// reached is how far the file was read, this time or before.
func (in *input) reached() int64 { return max(in.at, in.behind) }

func (r *run) truncated(path string, from, to int64) {
	r.report.Truncated++
	filesTruncated.WithLabelValues(r.cfg.Format.Source).Inc()
	r.cfg.Logger.Warn("import: a file has become shorter; what was cut off before it was read is lost", "file", path, "read", from, "bytes", to,
		"check", "that logs are rotated by renaming them, not by copying and truncating (logrotate: create, not copytruncate)")
}

// unpack finds out by the first bytes whether the file is compressed.
func (in *input) unpack(start string) error {
	in.content = in.file
	switch {
	case strings.HasPrefix(start, "\x1f\x8b"):
		in.packed = true
		unpacked, err := gzip.NewReader(bufio.NewReaderSize(in.file, readBytes))
		if err != nil {
			return in.explain(err)
		}
		in.content, in.closer = unpacked, unpacked
	case start == "\x28\xb5\x2f\xfd":
		in.packed = true
		unpacked, err := zstd.NewReader(in.file, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return in.explain(err)
		}
		in.content, in.closer = unpacked, unpacked.IOReadCloser()
	}
	return nil
}

// explain says what is wrong with a compressed file.
func (in *input) explain(err error) error {
	if !in.packed {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the compressed file is cut off: is it still being written or copied? Import it again when it is complete, what was read is not sent twice: %w", err)
	}
	return fmt.Errorf("the compressed file is damaged: %w", err)
}

// close ends reading. A chunk that has records of the file knows how far.
func (in *input) close() {
	in.leave()
	if in.closer != nil {
		_ = in.closer.Close()
	}
	if in.rows != nil {
		_ = in.rows.Close()
	}
	_ = in.file.Close()
	if in.run != nil {
		in.run.spare = in.buffer[:0]
	}
	in.closed, in.run, in.buffer = true, nil, nil
}

// leave gives the state up, as it is now.
func (in *input) leave() {
	if in.state == nil || in.state.reader != in {
		return
	}
	in.remember()
	in.state.reader = nil
}

// rest is how many bytes wait for the end of their record.
func (in *input) rest() int { return len(in.buffer) - in.start }

// consumed is how much of the file was read, as it is on the disk.
func (in *input) consumed() int64 {
	if in.rows != nil {
		return int64(float64(in.size) * float64(in.at) / float64(max(in.rows.Len(), 1)))
	}
	at, err := in.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	return at
}

// settled is for how long nobody writes to a file that has its end.
const settled = time.Minute

// isFinal tells whether the file will not grow, so that its last line is one even
// without an end.
func (in *input) isFinal(now time.Time) bool {
	info, err := in.file.Stat()
	return in.packed || in.etag != "" || err == nil && now.Sub(info.ModTime()) > settled
}

// remember notes how far the file was read.
func (in *input) remember() {
	s := in.state
	if in.closed || in.done || in.decoder == nil && in.rows == nil || in.at < in.behind {
		return
	}
	s.Path, s.Offset = in.path, in.at
	if in.decoder != nil {
		s.State = in.decoder.State()
	}
	if in.etag != "" {
		s.ETag = in.etag
		in.known.add(s)
		return
	}
	s.Device, s.Inode = in.place.device, in.place.inode
	if length := int(min(in.at, printBytes)); s.PrintLength < max(length, len(in.head)) || s.PrintLength == 0 {
		if !in.packed && len(in.head) < length { // it has grown since it was opened
			in.head = make([]byte, printBytes)
			n, _ := in.file.ReadAt(in.head, 0)
			in.head = in.head[:n]
		}
		s.PrintLength = len(in.head)
		s.Print = fingerprint(in.head)
	}
	in.known.add(s)
}

// look returns where the file at path is, and how large.
func look(path string) (place, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return place{}, 0, err
	}
	return placeOf(info), info.Size(), nil
}

// expand returns the files that names stand for, sorted by name where a pattern or a
// directory has several. It is an error if one stands for none.
func expand(names []string) ([]string, error) {
	var paths []string
	for _, name := range names {
		found, err := expandOne(name)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("no file matches %s", name)
		}
		paths = append(paths, found...)
	}
	return unique(paths), nil
}

func unique(paths []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(paths, func(path string) bool {
		twice := seen[path]
		seen[path] = true
		return twice
	})
}

func expandOne(name string) ([]string, error) {
	info, err := os.Stat(name)
	if err == nil && !info.IsDir() {
		return []string{name}, nil
	}
	if err == nil {
		var paths []string
		err := filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() && !strings.HasPrefix(entry.Name(), ".") {
				paths = append(paths, path)
			}
			return err
		})
		return paths, err
	}
	if !strings.ContainsAny(name, "*?[") {
		return nil, err
	}
	paths, err := filepath.Glob(name)
	if err != nil {
		return nil, fmt.Errorf("pattern %s: %w", name, err)
	}
	return slices.DeleteFunc(paths, func(path string) bool {
		info, err := os.Stat(path)
		return err != nil || !info.Mode().IsRegular()
	}), nil
}

func sizes(paths []string) (sum int64) {
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			sum += info.Size()
		}
	}
	return sum
}
