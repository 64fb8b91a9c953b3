package chdb

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// library is the part of libchdb's C interface that is used here. Handles are
// kept as unsafe.Pointer and never looked into, except for a connection, which
// C hands out as a pointer to the pointer that its other functions want.
type library struct {
	connect     func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	closeConn   func(connection unsafe.Pointer)
	query       queryFunc
	streamQuery queryFunc
	streamFetch func(connection, stream unsafe.Pointer) unsafe.Pointer
	streamStop  func(connection, stream unsafe.Pointer)
	classify    func(connection, query unsafe.Pointer, length uintptr, database unsafe.Pointer, databaseLength uintptr, analysis unsafe.Pointer) int32
	signals     func(enabled bool)

	resultBuffer       func(result unsafe.Pointer) unsafe.Pointer
	resultLength       func(result unsafe.Pointer) uintptr
	resultError        func(result unsafe.Pointer) unsafe.Pointer
	resultRows         func(result unsafe.Pointer) uint64
	resultStorageRows  func(result unsafe.Pointer) uint64
	resultStorageBytes func(result unsafe.Pointer) uint64
	resultFree         func(result unsafe.Pointer)
}

// queryFunc is the shape of chdb_query_with_params_n and of its streaming twin:
// text and format with their lengths, then parallel arrays of parameters.
type queryFunc func(connection, query unsafe.Pointer, queryLength uintptr, format unsafe.Pointer, formatLength uintptr,
	names, nameLengths, values, valueLengths unsafe.Pointer, count uintptr) unsafe.Pointer

// bind loads the library at path. It must be called once per process: a second
// copy would be a second engine that knows nothing of the first one's data.
func bind(path string) (lib *library, err error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	lib = new(library)
	for _, f := range []struct {
		to   any
		name string
	}{
		{&lib.connect, "chdb_connect"},
		{&lib.closeConn, "chdb_close_conn"},
		{&lib.query, "chdb_query_with_params_n"},
		{&lib.streamQuery, "chdb_stream_query_with_params_n"},
		{&lib.streamFetch, "chdb_stream_fetch_result"},
		{&lib.streamStop, "chdb_stream_cancel_query"},
		{&lib.classify, "chdb_classify_query_n"},
		{&lib.signals, "chdb_set_signal_handlers_enabled"},
		{&lib.resultBuffer, "chdb_result_buffer"},
		{&lib.resultLength, "chdb_result_length"},
		{&lib.resultError, "chdb_result_error"},
		{&lib.resultRows, "chdb_result_rows_read"},
		{&lib.resultStorageRows, "chdb_result_storage_rows_read"},
		{&lib.resultStorageBytes, "chdb_result_storage_bytes_read"},
		{&lib.resultFree, "chdb_destroy_query_result"},
	} {
		address, err := purego.Dlsym(handle, f.name)
		if err != nil {
			return nil, fmt.Errorf("load %s: it does not export %s, is it another version of libchdb?: %w", path, f.name, err)
		}
		purego.RegisterFunc(f.to, address)
	}
	// libchdb's handlers would replace those of the Go runtime: a nil dereference
	// would hang the process instead of becoming a panic, and SIGTERM would not
	// arrive at signal.Notify. This must come before the first connection.
	lib.signals(false)
	return lib, nil
}

// open makes a connection. The first one of the process starts the engine with
// args; for later ones the library only compares the path.
func (l *library) open(args []string) (unsafe.Pointer, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	argv := make([]*byte, 0, len(args)+1)
	for _, arg := range append([]string{"clickhouse"}, args...) {
		text := append([]byte(arg), 0)
		pin.Pin(&text[0])
		argv = append(argv, &text[0])
	}
	pin.Pin(&argv[0])
	connection := l.connect(int32(len(argv)), unsafe.Pointer(&argv[0]))
	if connection == nil {
		return nil, fmt.Errorf("connect to the engine: it refused, its own message is on standard error")
	}
	return connection, nil
}

// run passes a query to call (query or streamQuery). The memory it passes is
// pinned for the duration of the call; the library copies what it keeps.
func (l *library) run(call queryFunc, connection unsafe.Pointer, query []byte, format string, params map[string]string) unsafe.Pointer {
	var pin runtime.Pinner
	defer pin.Unpin()
	bytes := func(b []byte) unsafe.Pointer {
		if len(b) == 0 {
			b = []byte{0}
		}
		pin.Pin(&b[0])
		return unsafe.Pointer(&b[0])
	}
	var names, values []unsafe.Pointer
	var nameLengths, valueLengths []uintptr
	for name, value := range params {
		names, nameLengths = append(names, bytes([]byte(name))), append(nameLengths, uintptr(len(name)))
		values, valueLengths = append(values, bytes([]byte(value))), append(valueLengths, uintptr(len(value)))
	}
	if len(params) > 0 {
		pin.Pin(&names[0])
		pin.Pin(&nameLengths[0])
		pin.Pin(&values[0])
		pin.Pin(&valueLengths[0])
	}
	return call(*(*unsafe.Pointer)(connection), bytes(query), uintptr(len(query)), bytes([]byte(format)), uintptr(len(format)),
		unsafe.Pointer(unsafe.SliceData(names)), unsafe.Pointer(unsafe.SliceData(nameLengths)),
		unsafe.Pointer(unsafe.SliceData(values)), unsafe.Pointer(unsafe.SliceData(valueLengths)), uintptr(len(params)))
}

// failure returns the error that a result carries, nil if none.
func (l *library) failure(result unsafe.Pointer) error {
	if result == nil {
		return &Error{Message: "the engine returned no result"}
	}
	if message := cString(l.resultError(result)); message != "" {
		return parseError(message)
	}
	return nil
}

// bytes copies the data of a result, which dies with resultFree.
func (l *library) bytes(result unsafe.Pointer) []byte {
	length := l.resultLength(result)
	if length == 0 {
		return nil
	}
	return append([]byte(nil), unsafe.Slice((*byte)(l.resultBuffer(result)), length)...)
}

func cString(p unsafe.Pointer) string {
	if p == nil {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(p, n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(p), n))
}
