package queue

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
)

// entry is what a ledger has under way.
type entry struct {
	Number uint64          `json:"number"`
	Note   json.RawMessage `json:"note"`
	parts  []*part         // not yet acknowledged; the first may have an identity
}

// part is a record batch.
type part struct {
	Topic    string `json:"topic"`
	Flows    int    `json:"flows"`
	Length   int    `json:"length"`
	Identity []byte `json:"identity,omitempty"` // as the spool keeps it
	data     []byte
	as       *identity
}

func (e *entry) flows() (n int) {
	for _, p := range e.parts {
		n += p.Flows
	}
	return n
}

// An entry is a file: the length of its head and the head's CRC-32C with all that
// follows, four bytes big endian each; the head, as JSON; the batches.
const (
	entryName   = "pending"
	entryPrefix = 8
)

type entryHead struct {
	*entry
	Parts []*part `json:"parts"`
}

// writeEntry puts e on the disk, all of it or nothing.
func writeEntry(dir string, e *entry) error {
	for _, p := range e.parts {
		p.Length, p.Identity = len(p.data), nil
		if p.as != nil {
			p.Identity = p.as.note()
		}
	}
	head, err := json.Marshal(entryHead{e, e.parts})
	if err != nil {
		return err
	}
	content := [][]byte{make([]byte, entryPrefix), head}
	sum := crc32.Checksum(head, castagnoli)
	for _, p := range e.parts {
		content = append(content, p.data)
		sum = crc32.Update(sum, castagnoli, p.data)
	}
	binary.BigEndian.PutUint32(content[0], uint32(len(head)))
	binary.BigEndian.PutUint32(content[0][4:], sum)
	return replaceFile(filepath.Join(dir, entryName), content...)
}

// readEntry returns the entry that is under way, or nil.
func readEntry(dir string) (*entry, error) {
	path := filepath.Join(dir, entryName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	damaged := fmt.Errorf("%s is damaged: remove it, and what it held may be missing in Kafka, or be sent twice", path)
	if len(b) < entryPrefix {
		return nil, damaged
	}
	length, sum, rest := int(binary.BigEndian.Uint32(b)), binary.BigEndian.Uint32(b[4:]), b[entryPrefix:]
	if length > len(rest) || crc32.Checksum(rest, castagnoli) != sum {
		return nil, damaged
	}
	e := &entry{}
	head := entryHead{entry: e}
	if err := json.Unmarshal(rest[:length], &head); err != nil {
		return nil, errors.Join(damaged, err)
	}
	rest = rest[length:]
	for _, p := range head.Parts {
		if p.Length > len(rest) || p.Length < prefixBytes {
			return nil, damaged
		}
		p.data, rest = rest[:p.Length:p.Length], rest[p.Length:]
		if p.Identity != nil {
			as, err := readNote(p.Identity)
			if err != nil {
				return nil, errors.Join(damaged, err)
			}
			p.as = &as
		}
	}
	e.parts = head.Parts
	return e, nil
}

func removeEntry(dir string) error {
	err := os.Remove(filepath.Join(dir, entryName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func makeDir(dir string) error { return os.MkdirAll(dir, 0o700) }

// replaceFile puts a file in the place of another, on the disk when it returns.
func replaceFile(path string, content ...[]byte) error {
	next := path + ".next"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	for _, b := range content {
		if _, err = f.Write(b); err != nil {
			break
		}
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return syncDir(filepath.Dir(path))
}

// syncDir forces the names in dir to the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// positions are the notes of entries that are in Kafka, a line each.
type positions struct {
	path    string
	file    *os.File
	size    int64
	number  uint64 // of the last entry
	cluster uint64 // 0 where nothing is in Kafka
	notes   []json.RawMessage
}

type positionLine struct {
	Number  uint64          `json:"number"`
	Cluster uint64          `json:"cluster"`
	Note    json.RawMessage `json:"note"`
}

func openPositions(dir string) (*positions, error) {
	p := &positions{path: filepath.Join(dir, "positions")}
	var err error
	if p.file, err = os.OpenFile(p.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	if p.notes, err = p.read(); err != nil {
		return p, err
	}
	return p, p.file.Truncate(p.size)
}

// read reads the file, and notes where it ends.
func (p *positions) read() (notes []json.RawMessage, err error) {
	b, err := os.ReadFile(p.path)
	if err != nil {
		return nil, err
	}
	p.size = 0
	for line := range bytes.Lines(b) {
		var l positionLine
		if line[len(line)-1] != '\n' { // cut off by a full disk or a kill: its entry is still there
			break
		}
		if err := json.Unmarshal(line, &l); err != nil {
			return nil, fmt.Errorf("%s is damaged at byte %d: %w", p.path, p.size, err)
		}
		p.number, p.cluster = l.Number, l.Cluster
		notes = append(notes, l.Note)
		p.size += int64(len(line))
	}
	return notes, nil
}

func (p *positions) line(number uint64, note json.RawMessage) ([]byte, error) {
	b, err := json.Marshal(positionLine{number, p.cluster, note})
	return append(b, '\n'), err
}

// add keeps a note. It is not forced to the disk: an entry that comes back after a power
// cut is sent again under its identity.
func (p *positions) add(number uint64, note json.RawMessage) error {
	b, err := p.line(number, note)
	if err != nil {
		return err
	}
	if _, err := p.file.WriteAt(b, p.size); err != nil {
		return errors.Join(err, p.file.Truncate(p.size))
	}
	p.size += int64(len(b))
	p.number = number
	return nil
}

// compact puts one note in the place of all.
func (p *positions) compact(note json.RawMessage) error {
	b, err := p.line(p.number, note)
	if err != nil {
		return err
	}
	if err := replaceFile(p.path, b); err != nil {
		return err
	}
	_ = p.file.Close()
	p.size, p.notes = int64(len(b)), nil
	p.file, err = os.OpenFile(p.path, os.O_RDWR, 0o600)
	return err
}

// belongTo checks, or notes for later, in which cluster the entries are.
func (p *positions) belongTo(cluster uint64) error {
	if p.cluster != 0 && p.cluster != cluster {
		return ErrOtherCluster
	}
	p.cluster = cluster
	return nil
}

func (p *positions) close() error { return p.file.Close() }
