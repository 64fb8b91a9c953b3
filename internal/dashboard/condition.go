package dashboard

import (
	"errors"
	"fmt"
	"strings"
)

// maxDepth is how deep brackets of a condition may nest: ClickHouse's parser gives
// up at some hundreds.
const maxDepth = 100

// CheckCondition returns why text cannot stand between brackets as a condition, nil
// if nothing in it can end them. Whether it means something is for ClickHouse to say.
//
// It knows ClickHouse's strings and quoted names, in which a backslash escapes and
// a doubled quote stands for itself. What else could change how the rest is read is
// refused: comments, heredocs ($tag$), hexadecimal strings (x'00', in which a
// backslash does not escape), substitutions ({name:Type}), and letters beyond ASCII
// outside quotes, some of which are quotes to ClickHouse.
func CheckCondition(text string) error {
	var open []byte // closing brackets that are still to come
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\'', '"', '`':
			if i > 0 && (isWord(text[i-1]) || text[i-1] >= 0x80) {
				return fmt.Errorf("a quote follows %q: put a space before the quote", text[i-1:i])
			}
			end, err := quotedEnd(text, i)
			if err != nil {
				return err
			}
			i = end
		case '(', '[':
			if len(open) == maxDepth {
				return fmt.Errorf("brackets are nested deeper than %d", maxDepth)
			}
			open = append(open, closing(c))
		case ')', ']':
			if len(open) == 0 || open[len(open)-1] != c {
				return fmt.Errorf("the bracket %q does not belong to an open one", text[i:i+1])
			}
			open = open[:len(open)-1]
		default:
			if err := checkPlain(text, i); err != nil {
				return err
			}
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("a closing %q is missing", open[len(open)-1:])
	}
	return nil
}

func closing(open byte) byte {
	if open == '(' {
		return ')'
	}
	return ']'
}

// quotedEnd returns the index of the quote that ends what starts at i.
func quotedEnd(text string, i int) (int, error) {
	quote := text[i]
	for j := i + 1; j < len(text); j++ {
		switch {
		case text[j] == 0:
			return 0, errors.New("it has a NUL byte")
		case text[j] == '\\':
			j++
		case text[j] == quote && j+1 < len(text) && text[j+1] == quote:
			j++
		case text[j] == quote:
			return j, nil
		}
	}
	return 0, fmt.Errorf("a closing %s is missing", text[i:i+1])
}

// checkPlain looks at a byte outside quotes.
func checkPlain(text string, i int) error {
	rest := text[i:]
	switch c := text[i]; {
	case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "/*"), strings.HasPrefix(rest, "//"), c == '#':
		return errors.New("comments are not possible here")
	case c == ';':
		return errors.New("it is one condition: leave out the semicolon")
	case c == '{', c == '}', c == '$', c == '\\':
		return fmt.Errorf("%q is possible within quotes only", text[i:i+1])
	case c >= 0x80:
		return errors.New("letters other than a-z are possible within quotes only; quotes are ' and not ’")
	case c < ' ' && !strings.ContainsRune("\t\n\r", rune(c)), c == 0x7f:
		return errors.New("it has a control character: write it by hand instead of pasting it")
	}
	return nil
}
