// Package jsonline reads the fields that are wanted out of lines of JSON, without
// allocating anything for a line.
package jsonline

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Field is a field of an object that is wanted. Either Set or Fields is there, or both.
type Field[T any] struct {
	Name string
	// Set takes the value: the text of a string without quotes and escapes, else what
	// stands there, but for null. For an object it is called with nil, before its fields.
	// It tells whether that can be one. The value is valid until the next Read.
	Set    func(t *T, value []byte) bool
	Fields []Field[T] // of an object; without, it has to be something else
}

// Reader reads lines. One goroutine uses it.
type Reader[T any] struct {
	root   object[T]
	source bytes.Buffer // of which the decoder makes no copy
	in     *jsontext.Decoder
	values []byte // those of the line
}

type object[T any] map[string]*member[T]

type member[T any] struct {
	Field[T]
	below object[T]
}

func newObject[T any](fields []Field[T]) object[T] {
	o := object[T]{}
	for _, f := range fields {
		m := &member[T]{Field: f}
		if f.Fields != nil {
			m.below = newObject(f.Fields)
		}
		o[f.Name] = m
	}
	return o
}

// Of duplicate names the last one counts, and bytes that are no UTF-8 stay, as encoding/json
// has it.
var options = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// New returns a reader of these fields.
func New[T any](fields []Field[T]) *Reader[T] {
	r := &Reader[T]{root: newObject(fields)}
	r.in = jsontext.NewDecoder(&r.source, options...)
	return r
}

var errNoObject = errors.New("it is no object")

// Read sets the fields of an object in t, which is all that line may have. What was set
// before an error stays.
func (r *Reader[T]) Read(line []byte, t *T) error {
	r.source.Reset()
	r.source.Write(line)
	r.in.Reset(&r.source, options...)
	r.values = r.values[:0]
	if r.in.PeekKind() != '{' {
		if err := r.in.SkipValue(); err != nil {
			return err
		}
		return errNoObject
	}
	if err := r.object(r.root, t); err != nil {
		return err
	}
	if _, err := r.in.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("there is something behind the object")
	}
	return nil
}

func (r *Reader[T]) object(o object[T], t *T) error {
	if _, err := r.in.ReadToken(); err != nil { // {
		return err
	}
	for r.in.PeekKind() != '}' {
		name, err := r.in.ReadValue()
		if err != nil {
			return err
		}
		m := o[string(r.text(name))]
		if m == nil {
			if err := r.in.SkipValue(); err != nil {
				return err
			}
			continue
		}
		if err := r.member(m, t); err != nil {
			return err
		}
	}
	_, err := r.in.ReadToken() // }
	return err
}

func (r *Reader[T]) member(m *member[T], t *T) error {
	kind := r.in.PeekKind()
	switch {
	case kind == 'n':
		return r.in.SkipValue()
	case kind == '{' && m.below != nil:
		if m.Set != nil {
			m.Set(t, nil)
		}
		return r.object(m.below, t)
	}
	value, err := r.in.ReadValue()
	if err != nil {
		return err
	}
	if kind == '{' || kind == '[' || m.below != nil || !m.Set(t, r.text(value)) {
		return fmt.Errorf("%s is %+q", m.Name, value[:min(len(value), 60)])
	}
	return nil
}

// text returns a copy of a value, a string without quotes and escapes.
func (r *Reader[T]) text(value []byte) []byte {
	start := len(r.values)
	if len(value) < 2 || value[0] != '"' {
		r.values = append(r.values, value...)
	} else if bytes.IndexByte(value, '\\') < 0 {
		r.values = append(r.values, value[1:len(value)-1]...)
	} else {
		r.values, _ = jsontext.AppendUnquote(r.values, value) // ReadValue has checked it
	}
	return r.values[start:len(r.values):len(r.values)]
}
