package access

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost of a hash: the second recommendation of RFC 9106, section 4.
const (
	hashMemory  = 64 << 10 // KiB
	hashPasses  = 3
	hashThreads = 4
	hashLength  = 32
	saltLength  = 16
)

const (
	minPassword = 8
	maxPassword = 1000
	// maxMemory and maxPasses are what a hash from elsewhere may cost at most.
	maxMemory = 1 << 20 // KiB
	maxPasses = 20
)

// Password is the hash of a password: argon2id, version 19.
type Password struct {
	memory, passes uint32
	threads        uint8
	salt, sum      []byte
}

var encoding = base64.RawStdEncoding

// HashPassword returns the hash of text, in the form that ReadPassword reads.
func HashPassword(text string) (string, error) {
	if len(text) < minPassword || len(text) > maxPassword {
		return "", fmt.Errorf("a password has %d to %d bytes, not %d", minPassword, maxPassword, len(text))
	}
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // documented never to fail
	sum := argon2.IDKey([]byte(text), salt, hashPasses, hashMemory, hashThreads, hashLength)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashPasses, hashThreads,
		encoding.EncodeToString(salt), encoding.EncodeToString(sum)), nil
}

// ReadPassword reads a file with one hash, as HashPassword makes it and as others
// write argon2id. A password in plain text is refused, as is a file that everybody
// may write.
func ReadPassword(path string) (*Password, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the password's hash: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the password's hash: %w", err)
	}
	if info.Mode().Perm()&0o002 != 0 {
		return nil, fmt.Errorf("read the password's hash: everybody may write to %s: chmod o-w it", path)
	}
	content, err := io.ReadAll(io.LimitReader(file, 4<<10))
	if err != nil {
		return nil, fmt.Errorf("read the password's hash: %w", err)
	}
	p, err := parseHash(strings.TrimSpace(string(content)))
	if err != nil {
		return nil, fmt.Errorf("read the password's hash from %s: %w (netmeta-standalone hash-password makes one)", path, err)
	}
	return p, nil
}

var errNoHash = errors.New("it is not an argon2id hash, which begins with $argon2id$v=19$")

func parseHash(text string) (*Password, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, errNoHash
	}
	p := &Password{}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.threads); err != nil || n != 3 {
		return nil, errNoHash
	}
	if p.memory > maxMemory || p.passes < 1 || p.passes > maxPasses || p.threads < 1 {
		return nil, fmt.Errorf("its cost, %s, is not between m=8,t=1,p=1 and m=%d,t=%d", parts[3], maxMemory, maxPasses)
	}
	var err error
	if p.salt, err = encoding.DecodeString(parts[4]); err != nil || len(p.salt) < 8 {
		return nil, errNoHash
	}
	if p.sum, err = encoding.DecodeString(parts[5]); err != nil || len(p.sum) < 16 {
		return nil, errNoHash
	}
	return p, nil
}

// matches reports whether text is the password. It takes as long for any text.
func (p *Password) matches(text string) bool {
	if len(text) > maxPassword {
		return false
	}
	sum := argon2.IDKey([]byte(text), p.salt, p.passes, p.memory, p.threads, uint32(len(p.sum)))
	return subtle.ConstantTimeCompare(sum, p.sum) == 1
}
