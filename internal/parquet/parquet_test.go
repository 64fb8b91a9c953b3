package parquet_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	library "github.com/parquet-go/parquet-go"

	"github.com/leoluk/NetMeta/internal/parquet"
)

type row struct {
	Name   string   `parquet:"name,dict"`
	Number *int32   `parquet:"number,optional"`
	Big    int64    `parquet:"big,delta"`
	List   []string `parquet:"list"`
	Below  struct {
		Deep int64 `parquet:"deep"`
	} `parquet:"below"`
	Real float64 `parquet:"real"`
	Yes  bool    `parquet:"yes"`
}

// file returns a file of n rows, in groups of so many and pages of so many bytes.
func file(t testing.TB, n, group, page int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := library.NewGenericWriter[row](&b, library.PageBufferSize(page), library.MaxRowsPerRowGroup(int64(group)), library.Compression(&library.Snappy))
	for i := range n {
		r := row{Name: fmt.Sprint("name ", i%7), Big: int64(i) << 20, List: []string{"x", "y"}[:i%3], Real: float64(i) / 2, Yes: i%2 == 0}
		if i%5 != 0 {
			r.Number = new(int32(i))
		}
		if _, err := w.Write([]row{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(content []byte) (*parquet.Reader, error) {
	return parquet.Open(bytes.NewReader(content), int64(len(content)))
}

func all(r *parquet.Reader) (rows []string, err error) {
	for {
		if err := r.Next(); errors.Is(err, io.EOF) {
			return rows, nil
		} else if err != nil {
			return rows, err
		}
		var text []string
		for i := range r.Names() {
			text = append(text, string(r.Text(i)))
		}
		rows = append(rows, strings.Join(text, " | "))
	}
}

func TestRowsAreReadFromAnyOnInAnyLayout(t *testing.T) {
	const n = 1000
	for _, layout := range [][2]int{{n, 1 << 20}, {300, 500}, {77, 200}} {
		r, err := open(file(t, n, layout[0], layout[1]))
		if err != nil {
			t.Fatal(err)
		}
		if names := fmt.Sprint(r.Names()); names != "[name number big real yes]" || r.Len() != n {
			t.Fatalf("%d rows of %s", r.Len(), names)
		}
		r.Use([]int{0, 1, 2, 3, 4})
		for _, from := range []int{0, 1, 76, 77, 299, 300, 511, 512, 940, 999, 1000, 5000} {
			if err := r.SeekRow(int64(from)); err != nil {
				t.Fatal(err)
			}
			rows, err := all(r)
			if err != nil || len(rows) != max(n-from, 0) {
				t.Fatalf("%v, from %d: %d rows, %v", layout, from, len(rows), err)
			}
			for i, got := range rows {
				i += from
				number := fmt.Sprint(i)
				if i%5 == 0 {
					number = ""
				}
				if want := fmt.Sprintf("name %d | %s | %d | %v | %v", i%7, number, i<<20, float64(i)/2, i%2 == 0); got != want {
					t.Fatalf("%v, row %d is %s, want %s", layout, i, got, want)
				}
			}
		}
		_ = r.Close()
	}
}

// Without a look at them, sizes in a damaged file have the library take gigabytes.
func TestDamagedFileCostsLittleMemoryAndNeverPanics(t *testing.T) {
	whole := file(t, 200, 100, 300)
	random := rand.New(rand.NewPCG(1, 2))
	failed := 0
	damage := func(content []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := open(content)
		if err == nil {
			r.Use([]int{0, 1, 2, 3, 4})
			if err = r.SeekRow(0); err == nil {
				_, err = all(r)
			}
			_ = r.Close()
		}
		runtime.ReadMemStats(&after)
		if err != nil {
			failed++
		}
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 256<<20 {
			t.Errorf("%d MiB were taken for %d bytes: %v", taken>>20, len(content), err)
		}
	}
	for range 3000 {
		content := bytes.Clone(whole)
		for range 1 + random.IntN(3) {
			content[random.IntN(len(content))] = byte(random.Uint32())
		}
		damage(content)
	}
	length := bytes.Clone(whole)
	copy(length[len(length)-8:], "\xff\xff\xff\xff") // of the footer
	damage(length)
	for n := 0; n < len(whole); n += 97 {
		damage(whole[:n])
	}
	if failed < 500 {
		t.Errorf("%d files failed: what was damaged?", failed)
	}
}
