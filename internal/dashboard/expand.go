package dashboard

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Scope is what a statement is expanded with.
type Scope struct {
	Dashboard *Dashboard    // whose variables there are; nil: there are none
	From, To  time.Time     // what the dashboard shows
	Interval  time.Duration // length of a bucket, see Interval
	Values    Values
}

// maxNesting is how deep macros may stand within macros.
const maxNesting = 20

// Expand returns a statement with its macros and variables replaced. What a value
// brings in is never looked at again, so a value is never taken for a macro. The
// error is a *ValueError where a value is to blame, otherwise the statement is.
func (s Scope) Expand(rawSQL string) (string, error) {
	if !s.From.Before(s.To) {
		return "", fmt.Errorf("the time range ends at %s, before it starts at %s", s.To.UTC().Format(time.DateTime), s.From.UTC().Format(time.DateTime))
	}
	return s.expand(rawSQL, 0)
}

func (s Scope) expand(text string, depth int) (string, error) {
	if depth > maxNesting {
		return "", fmt.Errorf("macros are nested deeper than %d", maxNesting)
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		replacement, length, err := s.reference(rest, depth)
		if err != nil {
			return "", err
		}
		if length == 0 {
			replacement = "$"
		}
		out.WriteString(replacement)
		text = rest[length:]
	}
}

// reference replaces the macro or variable whose name begins text, and returns how
// much of text it is: nothing, if a dollar is only that.
func (s Scope) reference(text string, depth int) (replacement string, length int, err error) {
	if strings.HasPrefix(text, "{") {
		inside, _, closed := strings.Cut(text[1:], "}")
		if !closed {
			return "", 0, errors.New("expand ${: a closing } is missing")
		}
		name, formatName, _ := strings.Cut(inside, ":")
		replacement, err = s.variable(name, formatName)
		return replacement, len(inside) + 2, err
	}
	name := wordAt(text)
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return "", 0, nil
	}
	if m, ok := macros[name]; ok {
		return s.macro(name, m, text[len(name):], depth)
	}
	replacement, err = s.variable(name, "")
	return replacement, len(name), err
}

func wordAt(text string) string {
	for i := range len(text) {
		if !isWord(text[i]) {
			return text[:i]
		}
	}
	return text
}

// macro replaces a macro. rest is what follows its name.
func (s Scope) macro(name string, m macro, rest string, depth int) (replacement string, length int, err error) {
	var args []string
	length = len(name)
	if strings.HasPrefix(rest, "(") {
		var whole int
		if args, whole, err = arguments(rest); err != nil {
			return "", 0, fmt.Errorf("expand macro $%s: %w", name, err)
		}
		if m.args == 0 && len(args) > 0 {
			// The brackets are not the macro's.
			args = nil
		} else {
			length += whole
		}
	}
	if m.conditional {
		replacement, err = s.conditional(args, depth)
	} else {
		replacement, err = s.apply(m, args, depth)
	}
	if err != nil {
		// A value's fault is told to the person who chose it, without where it was used.
		var wrong *ValueError
		if !errors.As(err, &wrong) {
			err = fmt.Errorf("expand macro $%s: %w", name, err)
		}
		return "", 0, err
	}
	return replacement, length, nil
}

func (s Scope) apply(m macro, args []string, depth int) (string, error) {
	if len(args) != m.args {
		return "", fmt.Errorf("it takes %d arguments, not %d", m.args, len(args))
	}
	expanded := make([]string, len(args))
	for i, arg := range args {
		var err error
		if expanded[i], err = s.expand(arg, depth+1); err != nil {
			return "", err
		}
	}
	return m.write(s, expanded)
}

// conditional is $__conditionalAll(condition, $variable): the condition, which may
// have commas, or 1=1 where everything is chosen.
func (s Scope) conditional(args []string, depth int) (string, error) {
	if len(args) < 2 {
		return "", fmt.Errorf("it takes a condition and a variable, not %d arguments", len(args))
	}
	last := len(args) - 1
	name := args[last]
	if !strings.HasPrefix(name, "$") || name[1:] == "" || wordAt(name[1:]) != name[1:] {
		return "", fmt.Errorf("its second argument is $ and the name of a variable, not %q", name)
	}
	v, ok := s.lookUp(name[1:])
	if !ok {
		return "", fmt.Errorf("there is no variable %s", name)
	}
	if everything(s.Values.of(v)) {
		if err := v.check(s.Values.of(v)); err != nil {
			return "", &ValueError{v.Name, err.Error()}
		}
		return "1=1", nil
	}
	return s.expand(strings.Join(args[:last], ", "), depth+1)
}

// arguments splits "(a, f(b, c)) ..." into a and f(b, c). length is that of the
// brackets and what is within.
func arguments(text string) (args []string, length int, err error) {
	depth, start := 0, 1
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\'', '"', '`':
			end, err := quotedEnd(text, i)
			if err != nil {
				return nil, 0, err
			}
			i = end
		case '(', '[':
			depth++
		case ',':
			if depth == 1 {
				args = append(args, strings.TrimSpace(text[start:i]))
				start = i + 1
			}
		case ')', ']':
			if depth--; depth > 0 {
				continue
			}
			if last := strings.TrimSpace(text[start:i]); last != "" || len(args) > 0 {
				args = append(args, last)
			}
			return args, i + 1, nil
		}
	}
	return nil, 0, errors.New("a closing bracket is missing")
}

// lookUp finds a variable. Without a dashboard, as for alert rules, there are none.
func (s Scope) lookUp(name string) (*Variable, bool) {
	if s.Dashboard == nil {
		return nil, false
	}
	return s.Dashboard.Variable(name)
}

// variable replaces ${name:format}.
func (s Scope) variable(name, formatName string) (string, error) {
	if builtin, ok := builtins[name]; ok {
		return builtin(s), nil
	}
	v, ok := s.lookUp(name)
	if !ok {
		return "", fmt.Errorf("expand $%s: there is no such macro or variable", name)
	}
	write, ok := formats[formatName]
	if !ok {
		return "", fmt.Errorf("expand ${%s:%s}: the format is not known", name, formatName)
	}
	chosen := s.Values.of(v)
	if err := v.check(chosen); err != nil {
		return "", &ValueError{v.Name, err.Error()}
	}
	if slices.Contains(chosen, All) {
		if v.AllValue != "" {
			return v.AllValue, nil
		}
		if v.Type != TypeCustom {
			return "", fmt.Errorf("expand $%s: everything is chosen, which only $__conditionalAll can express", name)
		}
		chosen = nil
		for _, option := range v.Options {
			chosen = append(chosen, option.Value)
		}
	}
	return write(v, chosen)
}
