package objects

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/objects/objectstest"
)

var location = Location{"s3", objectstest.Bucket, ""}

func open(t *testing.T, s *objectstest.Server) *Client {
	t.Helper()
	c, err := Open(Config{Endpoint: s.URL, firstWait: time.Millisecond, stalled: 200 * time.Millisecond}, []Location{location})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// list returns all objects of a location behind a key.
func list(t *testing.T, c *Client, prefix, after string) (all []Object, err error) {
	t.Helper()
	for o, err := range c.List(t.Context(), Location{"s3", objectstest.Bucket, prefix}, after) {
		if err != nil {
			return all, err
		}
		all = append(all, o)
	}
	return all, nil
}

// object puts and lists an object with so many random bytes.
func object(t *testing.T, s *objectstest.Server, c *Client, size int) (Object, []byte) {
	t.Helper()
	content := make([]byte, size)
	for i, random := 0, rand.NewPCG(1, 2); i < size; i++ {
		content[i] = byte(random.Uint64())
	}
	s.Put("a/b.log", string(content))
	all, err := list(t, c, "a/", "")
	if err != nil || len(all) != 1 || all[0].Size != int64(size) {
		t.Fatal(all, err)
	}
	return all[0], content
}

func TestListingHasEveryKeyInOrderAPageAtATime(t *testing.T) {
	s := objectstest.New(t)
	const n = 100_000
	for i := range n {
		s.Put(fmt.Sprintf("flows/%06d", i), "")
	}
	s.Put("folder/", "")
	s.Put("other", "")
	c := open(t, s)
	all, err := list(t, c, "flows/", "")
	if err != nil || len(all) != n || s.Lists.Load() > n/1000+1 {
		t.Fatalf("%d objects by %d requests, %v", len(all), s.Lists.Load(), err)
	}
	for i, o := range all {
		if o.Name() != fmt.Sprintf("s3://logs/flows/%06d", i) {
			t.Fatalf("object %d is %s", i, o.Name())
		}
	}
	if behind, err := list(t, c, "", "flows/099990"); err != nil || len(behind) != 9+1 {
		t.Errorf("behind a key: %v, %v", behind, err)
	}
}

func TestObjectIsReadOnWhereTheConnectionBreaks(t *testing.T) {
	s := objectstest.New(t)
	c := open(t, s)
	o, want := object(t, s, c, 3<<20)
	s.Fail(objectstest.Cut(300_000))
	r, err := c.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes of %d, %v", len(got), len(want), err)
	}
	if n := s.Gets.Load(); n < 10 || n > 12 {
		t.Errorf("%d requests, want one for each 300,000 bytes", n)
	}
	if _, err := r.Seek(2<<20, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want[2<<20:]) {
		t.Errorf("from the middle: %d bytes, %v", len(got), err)
	}
}

func TestConnectionThatSaysNothingMoreIsGivenUp(t *testing.T) {
	s := objectstest.New(t)
	c := open(t, s)
	o, want := object(t, s, c, 1<<20)
	var times atomic.Int64
	s.Fail(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if times.Add(1) == 1 {
			w.Header().Set("Content-Length", fmt.Sprint(len(want)))
			w.Header().Set("ETag", `"`+o.ETag+`"`)
			w.Header().Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
			_, _ = w.Write(want[:500_000])
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return
		}
		next.ServeHTTP(w, r)
	})
	r, err := c.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) || times.Load() != 2 {
		t.Errorf("%d bytes by %d requests, %v", len(got), times.Load(), err)
	}
}

func TestStoreThatIsAwayIsWaitedForAndAtLastGivenUp(t *testing.T) {
	s := objectstest.New(t)
	c := open(t, s)
	object(t, s, c, 10)
	var times atomic.Int64
	away := objectstest.Refuse(http.StatusServiceUnavailable, "SlowDown")
	s.Fail(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if times.Add(1) <= 3 {
			away(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
	if all, err := list(t, c, "", ""); err != nil || len(all) != 1 {
		t.Errorf("after three failures: %v, %v", all, err)
	}
	s.Fail(away)
	if _, err := list(t, c, "", ""); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "8 times in a row") {
		t.Errorf("the error is %v", err)
	}
}

func TestRefusalSaysWhatToDoAndIsNotRepeated(t *testing.T) {
	s := objectstest.New(t)
	c := open(t, s)
	o, _ := object(t, s, c, 10)
	for code, want := range map[string]string{
		"AccessDenied":          "s3:ListBucket",
		"ExpiredToken":          "aws sso login",
		"InvalidAccessKeyId":    "AWS_ACCESS_KEY_ID",
		"SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY",
		"RequestTimeTooSkewed":  "the clock",
		"SomethingNew":          "s3:GetObject",
	} {
		s.Fail(objectstest.Refuse(http.StatusForbidden, code))
		before := s.Lists.Load() + s.Gets.Load()
		if _, err := list(t, c, "", ""); !errors.Is(err, ErrAccess) || !strings.Contains(err.Error(), want) {
			t.Errorf("listing, %s: %v", code, err)
		}
		if _, err := c.Open(t.Context(), o); !errors.Is(err, ErrAccess) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "a/b.log") {
			t.Errorf("reading, %s: %v", code, err)
		}
		if n := s.Lists.Load() + s.Gets.Load() - before; n != 2 {
			t.Errorf("%s: %d requests, want 2", code, n)
		}
	}
	s.Fail(nil)
	nowhere := Location{"s3", "no-such-bucket", ""}
	for _, err := range c.List(t.Context(), nowhere, "") {
		if !errors.Is(err, ErrAccess) || !strings.Contains(err.Error(), "name of the bucket") {
			t.Errorf("no bucket: %v", err)
		}
	}
}

func TestObjectThatWasDeletedOrReplacedIsGone(t *testing.T) {
	s := objectstest.New(t)
	c := open(t, s)
	o, _ := object(t, s, c, 1<<20)
	r, err := c.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s.Put("a/b.log", strings.Repeat("another", 1<<20))
	r.drop() // as if the connection broke
	if _, err := io.ReadAll(r); !errors.Is(err, ErrGone) {
		t.Errorf("replaced: %v", err)
	}
	s.Delete("a/b.log")
	if _, err := c.Open(t.Context(), o); !errors.Is(err, ErrGone) {
		t.Errorf("deleted: %v", err)
	}
}

func TestWhereNoCredentialsAreItIsSaidWhereTheyWereLookedFor(t *testing.T) {
	s := objectstest.New(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_PROFILE", "observer")
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/") // no instance is asked
	_, err := list(t, open(t, s), "", "")
	if !errors.Is(err, ErrAccess) {
		t.Fatalf("the error is %v", err)
	}
	for _, want := range []string{"AWS_ACCESS_KEY_ID", "the profile observer", "the role of this machine", "--s3-anonymous"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("there is no %s in %v", want, err)
		}
	}
	s.Put("x", "")
	c, err := Open(Config{Endpoint: s.URL, Anonymous: true}, []Location{location})
	if err != nil {
		t.Fatal(err)
	}
	if all, err := list(t, c, "", ""); err != nil || len(all) != 1 {
		t.Errorf("without credentials: %v, %v", all, err)
	}
}

func TestNamesAndEndpointsThatCannotBeAreRefused(t *testing.T) {
	for _, name := range []string{"s3://", "s3:///x", "file://x/y", "x"} {
		if l, err := Parse(name); err == nil {
			t.Errorf("%q is %v", name, l)
		}
	}
	for _, endpoint := range []string{"ftp://x", "http://x/path", "://"} {
		if _, err := Open(Config{Endpoint: endpoint}, []Location{location}); err == nil {
			t.Errorf("%q is taken", endpoint)
		}
	}
}
