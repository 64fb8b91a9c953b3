package chdb

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"unsafe"

	"github.com/leoluk/NetMeta/internal/serverconfig"
)

// analysis is libchdb's chdb_query_analysis_v1.
type analysis struct {
	size       uint32
	statements uint32
	flags      uint32
	class      uint32
}

// Classes of statements, from libchdb's chdb_query_class.
const (
	classReadOnly = 0
	classUnknown  = 4
)

// sessionOnly are statements that libchdb counts as control, like SYSTEM, but
// that only change the connection, which nobody else gets.
var sessionOnly = regexp.MustCompile(`(?i)^\s*(SET|USE)\s`)

// inserting matches an INSERT, behind comments too.
var inserting = regexp.MustCompile(`(?is)^(?:\s|--[^\n]*\n|/\*.*?\*/)*INSERT\s`)

// forbidden are names that the text of a read-only query may not use, with the
// reason. No privilege covers these functions, and read-only mode lets them run. The
// settings among them are constants of the reader's profile as well; but the engine
// does not look at what subqueries set.
var forbidden = func() map[string]string {
	names := maps.Clone(serverconfig.Escapes)
	names["file"] = "it reads files of the machine"
	names["hasColumnInTable"] = "it connects to other servers"
	names["catboostEvaluate"] = "it reads files of the machine"
	names["log_comment"] = "it is how the query is found when it has to be cancelled"
	return names
}()

var (
	forbiddenName = regexp.MustCompile(`\b(` + strings.Join(slices.Sorted(maps.Keys(forbidden)), "|") + `)\b`)
	// literals matches what the engine's own formatter writes for strings, and
	// quoted identifiers first, so that a quote inside one does not start a string.
	literals       = regexp.MustCompile("`(?:[^`\\\\]|\\\\.)*`|'(?:[^'\\\\]|\\\\.)*'")
	identifierType = regexp.MustCompile(`:\s*Identifier`)
)

// permit refuses more than one statement, as a server does over HTTP, and for
// read-only queries what read-only mode alone would let through: SYSTEM, KILL,
// INTO OUTFILE, temporary tables, and functions that read files. The decision is
// the engine's own parser's; no text of a person is interpreted here.
func (s *session) permit(q Query) error {
	if !q.ReadOnly && inserting.Match(q.SQL) {
		return nil // What looks like a further statement may be data.
	}
	a, err := s.analyse(q.SQL)
	if err != nil {
		return err
	}
	switch {
	case a.class == classUnknown && a.statements == 0:
		return nil // Not a statement at all; the engine will say what is wrong with it.
	case a.statements > 1:
		return &Error{Code: CodeSyntaxError, Message: fmt.Sprintf("Syntax error (Multi-statements are not allowed): got %d statements. (SYNTAX_ERROR)", a.statements)}
	case !q.ReadOnly:
		return nil
	case a.class != classReadOnly && !sessionOnly.Match(q.SQL):
		return &Error{Code: CodeReadonly, Message: "Cannot execute query in readonly mode: this interface only reads. (READONLY)"}
	}
	return s.permitNames(q)
}

func (s *session) analyse(sql []byte) (analysis, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	a := analysis{size: uint32(unsafe.Sizeof(analysis{}))}
	if len(sql) == 0 {
		return a, &Error{Code: CodeSyntaxError, Message: "Syntax error: empty query. (SYNTAX_ERROR)"}
	}
	pin.Pin(&sql[0])
	pin.Pin(&a)
	if s.engine.lib.classify(s.handle(), unsafe.Pointer(&sql[0]), uintptr(len(sql)), nil, 0, unsafe.Pointer(&a)) != 0 {
		return a, &Error{Code: CodeAborted, Message: "Cannot analyse the query. (ABORTED)"}
	}
	return a, nil
}

// permitNames looks for forbidden names. A backslash counts as suspicious too,
// since quoted identifiers may spell a name with escapes. The names are then
// looked for in the text as the engine formats it, where escapes and comments are
// gone and strings are easily told apart.
func (s *session) permitNames(q Query) error {
	suspect := bytes.ContainsRune(q.SQL, '\\')
	for name := range forbidden {
		suspect = suspect || bytes.Contains(q.SQL, []byte(name))
	}
	text := ""
	if suspect {
		formatted, err := s.format(q.SQL)
		if err != nil {
			return err
		}
		text = literals.ReplaceAllStringFunc(formatted, func(match string) string {
			if strings.HasPrefix(match, "'") {
				return "''"
			}
			return match
		})
	}
	if identifierType.Match(q.SQL) {
		for _, value := range q.Params {
			text += " " + value
		}
	}
	if name := forbiddenName.FindString(text); name != "" {
		return &Error{Code: CodeReadonly, Message: fmt.Sprintf("Cannot execute query in readonly mode: %s is not allowed here, %s. (READONLY)", name, forbidden[name])}
	}
	return nil
}

// format returns sql in the engine's canonical writing.
func (s *session) format(sql []byte) (string, error) {
	lib := s.engine.lib
	result := lib.run(lib.query, s.connection, []byte("SELECT formatQuery({sql:String})"), "RawBLOB", map[string]string{"sql": paramEscaper.Replace(string(sql))})
	defer lib.resultFree(result)
	if err := lib.failure(result); err != nil {
		return "", err
	}
	return string(lib.bytes(result)), nil
}

// paramEscaper writes a string the way parameters are parsed, which is as in a
// field of TabSeparated.
var paramEscaper = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`)
