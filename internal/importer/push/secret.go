package push

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"os"
	"strings"
)

// Secrets are texts of which a sender has to know one. Several are for the time in which
// one takes the place of another.
type Secrets [][sha256.Size]byte

// ReadSecrets reads a file with a secret a line. Empty lines do not count.
func ReadSecrets(path string) (Secrets, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var s Secrets
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" {
			s = append(s, secretOf(line))
		}
	}
	if len(s) == 0 {
		return nil, fmt.Errorf("%s is empty: write a secret into it, such as what `openssl rand -hex 32` prints", path)
	}
	return s, nil
}

func secretOf(text string) [sha256.Size]byte { return sha256.Sum256([]byte(text)) }

// has tells whether text is one of the secrets, in a time that does not tell how much of
// it is right.
func (s Secrets) has(text string) bool {
	sum, found := secretOf(text), 0
	for _, secret := range s {
		found |= subtle.ConstantTimeCompare(secret[:], sum[:])
	}
	return found == 1
}

// quoted returns what a sender calls something in a way that cannot do anything to a
// terminal or a log.
func quoted(id string) string { return fmt.Sprintf("%+q", id) }
