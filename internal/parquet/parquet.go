// Package parquet reads flat files of Apache Parquet (https://parquet.apache.org/docs/file-format/)
// row by row: columns of numbers and texts beside each other, without allocating anything
// for a row.
package parquet

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// Magic is what files begin and end with.
const Magic = "PAR1"

// Reader reads one file.
type Reader struct {
	source  io.ReaderAt
	file    *parquet.File
	names   []string
	leaves  []int // of names: numbers of columns in the file
	columns []column

	group int   // number of the next row group
	left  int64 // rows of the current group that are not in the batch
	batch int   // rows in the batch
	row   int   // in the batch
	text  []byte
}

// column is one that is read.
type column struct {
	leaf   int
	pages  parquet.Pages
	page   parquet.Page
	reader parquet.ValueReader
	left   int64 // values of page that were not read
	values []parquet.Value
}

// mostRows is how many rows are in a batch.
const mostRows = 512

// Open reads the end of a file, which says what is where.
func Open(r io.ReaderAt, size int64) (_ *Reader, err error) {
	defer recovered(&err)
	if err := check(r, size); err != nil {
		return nil, err
	}
	if err := checkFooter(r, size); err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(r, size, parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
	if err != nil {
		return nil, damaged(err)
	}
	p := &Reader{source: r, file: file}
	for _, c := range file.Root().Columns() {
		if c.Leaf() && !c.Repeated() {
			p.names = append(p.names, c.Name())
			p.leaves = append(p.leaves, c.Index())
		}
	}
	return p, nil
}

// check looks for the ends of a file.
func check(r io.ReaderAt, size int64) error {
	var first, last [len(Magic)]byte
	if size >= int64(len(Magic)) {
		if _, err := r.ReadAt(first[:], 0); err != nil {
			return err
		}
	}
	if string(first[:]) != Magic {
		return errors.New("it is not Parquet: it does not begin with PAR1")
	}
	if _, err := r.ReadAt(last[:], size-int64(len(last))); err != nil {
		return err
	}
	if string(last[:]) != Magic || size < int64(3*len(Magic)) {
		return errors.New("the Parquet file is cut off: it has no end. Is it still being written or copied? Import it again when it is complete")
	}
	return nil
}

func damaged(err error) error { return fmt.Errorf("the Parquet file is damaged: %w", err) }

// recovered makes an error of a panic: the library has some for what is damaged.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = damaged(fmt.Errorf("%v", p))
	}
}

// Names returns the names of the columns that can be read: those that are neither lists
// nor have columns below them.
func (p *Reader) Names() []string { return p.names }

// Len returns the number of rows.
func (p *Reader) Len() int64 { return p.file.NumRows() }

// Use says which columns are read, by their places in Names. It comes before SeekRow.
func (p *Reader) Use(places []int) {
	p.columns = make([]column, len(places))
	for i, place := range places {
		p.columns[i] = column{leaf: p.leaves[place], values: make([]parquet.Value, mostRows)}
	}
}

// SeekRow has Next go to this row, counted from 0.
func (p *Reader) SeekRow(row int64) (err error) {
	defer recovered(&err)
	p.group, p.left, p.batch, p.row = 0, 0, 0, 0
	groups := p.file.RowGroups()
	for ; p.group < len(groups); p.group++ {
		n := groups[p.group].NumRows()
		if row < n {
			return p.enter(row)
		}
		row -= n
	}
	p.leave()
	return nil
}

// enter begins with the next row group, at a row of it.
func (p *Reader) enter(row int64) error {
	p.leave()
	group, metadata := p.file.RowGroups()[p.group], p.file.Metadata().RowGroups[p.group]
	p.group++
	p.left = group.NumRows() - row
	chunks := group.ColumnChunks()
	for i := range p.columns {
		c := &p.columns[i]
		if err := checkPages(p.source, &metadata.Columns[c.leaf].MetaData); err != nil {
			return err
		}
		c.pages = chunks[c.leaf].Pages()
		if row > 0 {
			if err := c.pages.SeekToRow(row); err != nil {
				return damaged(err)
			}
		}
	}
	return nil
}

// leave gives up what was read.
func (p *Reader) leave() {
	for i := range p.columns {
		c := &p.columns[i]
		c.release()
		if c.pages != nil {
			_ = c.pages.Close()
			c.pages = nil
		}
	}
}

func (c *column) release() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page, c.reader, c.left = nil, nil, 0
	}
}

// Close gives up what was read. The file stays open.
func (p *Reader) Close() error {
	p.leave()
	return nil
}

// Next goes to the next row. It returns io.EOF behind the last one.
func (p *Reader) Next() error {
	if p.row+1 < p.batch {
		p.row++
		return nil
	}
	return p.fill()
}

// fill reads the next rows of all columns: as many as there are in each one's page.
func (p *Reader) fill() (err error) {
	defer recovered(&err)
	for p.left == 0 {
		if p.group == len(p.file.RowGroups()) {
			p.batch, p.row = 0, 0
			return io.EOF
		}
		if err := p.enter(0); err != nil {
			return err
		}
	}
	n := min(p.left, mostRows)
	for i := range p.columns {
		if err := p.columns[i].turn(); err != nil {
			return err
		}
		n = min(n, p.columns[i].left)
	}
	for i := range p.columns {
		if err := p.columns[i].read(int(n)); err != nil {
			return err
		}
	}
	p.left -= n
	p.batch, p.row = int(n), 0
	return nil
}

// turn turns to the next page, if all of this one was read.
func (c *column) turn() error {
	for c.left == 0 {
		c.release()
		page, err := c.pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return damaged(errors.New("a column has fewer rows than others"))
		}
		if err != nil {
			return damaged(err)
		}
		c.page, c.reader, c.left = page, page.Values(), page.NumValues()
	}
	return nil
}

func (c *column) read(n int) error {
	for at := 0; at < n; {
		got, err := c.reader.ReadValues(c.values[at:n])
		at += got
		if at < n && (got == 0 || err != nil) {
			return damaged(errors.Join(errors.New("a page has fewer values than it says"), err))
		}
	}
	c.left -= int64(n)
	return nil
}

// Text returns the value of a column of Use in this row as text, and nil for none. It is
// valid until the next call.
func (p *Reader) Text(column int) []byte {
	v := &p.columns[column].values[p.row]
	switch v.Kind() {
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return v.ByteArray()
	case parquet.Int32:
		p.text = strconv.AppendInt(p.text[:0], int64(v.Int32()), 10)
	case parquet.Int64:
		p.text = strconv.AppendInt(p.text[:0], v.Int64(), 10)
	case parquet.Double:
		p.text = strconv.AppendFloat(p.text[:0], v.Double(), 'f', -1, 64)
	case parquet.Boolean:
		p.text = strconv.AppendBool(p.text[:0], v.Boolean())
	default: // none, or what flows are not made of
		return nil
	}
	return p.text
}
