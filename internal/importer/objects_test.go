package importer_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"

	"github.com/leoluk/NetMeta/internal/importer"
	"github.com/leoluk/NetMeta/internal/objects"
	"github.com/leoluk/NetMeta/internal/objects/objectstest"
)

// bucket is a bench with a store beside it.
type bucket struct {
	*bench
	*objectstest.Server
	now time.Time
}

func newBucket(t *testing.T) *bucket { return &bucket{newBench(t), objectstest.New(t), time.Now()} }

func (b *bucket) config(prefix string) importer.Config {
	b.Helper()
	cfg := b.bench.config()
	location := objects.Location{Scheme: "s3", Bucket: objectstest.Bucket, Prefix: prefix}
	client, err := objects.Open(objects.Config{Endpoint: b.URL}, []objects.Location{location})
	if err != nil {
		b.Fatal(err)
	}
	cfg.Files, cfg.Objects, cfg.List = []string{location.String()}, client, 10*time.Millisecond
	cfg.SetNow(func() time.Time { return b.now })
	return cfg
}

func (b *bucket) run(prefix string) (*importer.Report, error) {
	b.Helper()
	cfg := b.config(prefix)
	defer cfg.Sink.Close()
	return importer.Run(b.Context(), cfg)
}

func (b *bucket) imports(wantSent uint64, prefix string) *importer.Report {
	b.Helper()
	report, err := b.run(prefix)
	if err != nil {
		b.Fatal(err)
	}
	if report.Sent != wantSent {
		b.Errorf("%d flows were sent, want %d: %+v", report.Sent, wantSent, report)
	}
	return report
}

func (b *bucket) stateBytes() int64 {
	b.Helper()
	info, err := os.Stat(filepath.Join(b.state, "positions"))
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

func TestEachRecordOfObjectsIsSentOnce(t *testing.T) {
	b := newBucket(t)
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Put("logs/a.log", lines(1, 20_000))
	b.Put("logs/b/b.log.gz", zipped(lines(20_001, 30_000)))
	b.Put("logs/b/c.log.zst", string(z.EncodeAll([]byte(lines(30_001, 30_100)), nil)))
	b.Put("logs/empty", "")
	b.Put("logs/no-end", strings.TrimSpace(lines(30_101, 30_101)))
	b.Put("other/x.log", lines(30_102, 30_102))
	b.imports(30_101, "logs/")
	if report := b.imports(0, "logs/"); report.Unchanged != 5 || report.Files != 0 {
		t.Errorf("again: %+v", report)
	}
	b.Put("logs/a0.log", lines(30_103, 30_200))  // in front of others
	b.Put("logs/no-end", lines(30_201, 30_201))  // another object under the same key
	b.imports(100, "")                           // overlaps with logs/
	b.Put("logs/b/d.log", lines(30_202, 30_202)) // below what both list
	b.imports(1, "logs/b")
	b.has(30_202)
}

func TestNetworkThatBreaksInEveryObjectCostsNothing(t *testing.T) {
	b := newBucket(t)
	b.Put("a.log", lines(1, 10_000))
	b.Put("b.log.gz", zipped(lines(10_001, 40_000)))
	b.Fail(objectstest.Cut(300_000))
	b.imports(40_000, "")
	if b.Gets.Load() < 4 {
		t.Errorf("%d requests: nothing was cut off", b.Gets.Load())
	}
	b.has(40_000)
}

func TestObjectThatVanishesIsCountedAndCostsNoOther(t *testing.T) {
	b := newBucket(t)
	b.Put("a.log", lines(1, 10))
	b.Put("b.log", lines(100, 110))
	b.Put("c.log", lines(11, 20))
	b.Fail(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.HasSuffix(r.URL.Path, "/b.log") {
			b.Delete("b.log")
		}
		next.ServeHTTP(w, r)
	})
	if report := b.imports(20, ""); report.Vanished != 1 || report.Failed != 0 {
		t.Errorf("the report is %+v", report)
	}
	b.has(20)
}

func TestObjectThatIsCutOffOrRefusedIsNamedAndCostsNoOther(t *testing.T) {
	b := newBucket(t)
	whole := zipped(lines(1, 5000))
	b.Put("a.gz", whole[:len(whole)/2])
	b.Put("secret.log", lines(1, 1))
	b.Put("z.log", lines(5001, 5010))
	refuse := objectstest.Refuse(http.StatusForbidden, "AccessDenied")
	b.Fail(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.HasSuffix(r.URL.Path, "/secret.log") {
			refuse(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
	report, err := b.run("")
	if err == nil || report.Failed != 2 {
		t.Fatalf("%v, %+v", err, report)
	}
	for _, want := range []string{"a.gz", "cut off", "secret.log", "s3:GetObject"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("there is no %q in %v", want, err)
		}
	}
	b.Fail(nil)
	b.Put("a.gz", whole[:len(whole)/2])
	b.Delete("secret.log")
	if report, err := b.run(""); err == nil || report.Sent != 0 {
		t.Errorf("what was read of a damaged object is sent again: %v, %+v", err, report)
	}
}

func TestStoreThatRefusesEndsTheRunWithWhatToDo(t *testing.T) {
	b := newBucket(t)
	b.Put("a.log", lines(1, 10))
	b.Fail(objectstest.Refuse(http.StatusForbidden, "ExpiredToken"))
	for _, follow := range []bool{false, true} {
		cfg := b.config("")
		cfg.Follow = follow
		_, err := importer.Run(t.Context(), cfg)
		_ = cfg.Sink.Close()
		if err == nil || !strings.Contains(err.Error(), "aws sso login") {
			t.Errorf("the error is %v", err)
		}
	}
	b.Fail(nil)
	if _, err := b.run("nothing/"); err == nil || !strings.Contains(err.Error(), "no object begins with s3://logs/nothing/") {
		t.Errorf("nothing there: %v", err)
	}
}

func TestFollowingTakesNewObjectsOnly(t *testing.T) {
	b := newBucket(t)
	b.Put("logs/b.log", lines(1, 100))
	cfg := b.config("logs/")
	cfg.SetNow(time.Now)
	stop := b.followingWith(cfg)
	b.reaches(100)
	b.Put("logs/a.log", lines(101, 150))
	b.reaches(150)
	b.Put("logs/c.log.gz", zipped(lines(151, 200)))
	b.reaches(200)
	gets := b.Gets.Load()
	for end, lists := time.Now().Add(time.Minute), b.Lists.Load(); b.Lists.Load() < lists+3 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if report := stop(); report.Files != 3 || b.Gets.Load() != gets || gets != 3 {
		t.Errorf("%d objects by %d requests, %d later", report.Files, gets, b.Gets.Load()-gets)
	}
	b.has(200)
}

// What AWS and Google write: a folder for each day.
func TestListingBeginsBehindDaysThatAreSettledAndFindsWhatCameLate(t *testing.T) {
	for name, test := range map[string]struct {
		layout string
		each   int // objects a day, without records: only listings are looked at
	}{
		"plain": {"AWSLogs/1/vpcflowlogs/eu-west-1/2006/01/02/", 2000},
		"hive":  {"AWSLogs/aws-account-id=1/aws-region=eu-west-1/year=2006/month=01/day=02/hour=10/", 300},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBucket(t)
			b.now = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
			today, layout, each := b.now, test.layout, test.each
			const days = 50
			b.Put("AWSLogs/", "")
			for d := range days {
				b.At(today.Add(time.Duration(-d) * 24 * time.Hour))
				folder := today.Add(time.Duration(-d) * 24 * time.Hour).Format(layout)
				for i := range each {
					b.Put(fmt.Sprintf("%s1_vpcflowlogs_%06d.log.gz", folder, i), "")
				}
			}
			b.imports(0, "AWSLogs/")
			if lists := b.Lists.Swap(0); int(lists) > days*each/1000+1 {
				t.Errorf("%d requests for the first listing", lists)
			}
			b.now = b.now.Add(time.Minute)
			b.At(b.now)
			b.Put(today.Format(layout)+"2_new.log", lines(1, 10))
			b.imports(10, "AWSLogs/")
			if lists := b.Lists.Swap(0); lists > 13 {
				t.Errorf("%d requests for the next one: it does not begin behind settled days", lists)
			}
			if size := b.stateBytes(); size > 3<<20 {
				t.Errorf("the state has %d bytes", size)
			}
			// An object comes weeks late. The listing of all finds it, once a day.
			b.Put(today.Add(-20*24*time.Hour).Format(layout)+"late.log", lines(11, 20))
			b.imports(0, "AWSLogs/")
			for range 2 {
				b.now = b.now.Add(25 * time.Hour)
				if _, err := b.run("AWSLogs/"); err != nil {
					t.Fatal(err)
				}
			}
			b.has(20)
		})
	}
}

func TestStateOfManyObjectsIsSummedUpWhileARunGoesOn(t *testing.T) {
	b := newBucket(t)
	const n = 1500
	for i := range n {
		b.Put(fmt.Sprintf("logs/%04d/x.log", i), lines(i+1, i+1))
	}
	cfg := b.config("")
	cfg.ChunkBytes = 1 // an entry for each object
	var written atomic.Int64
	cfg.Progress = func(importer.Progress) {
		if info, err := os.Stat(filepath.Join(b.state, "positions")); err == nil {
			written.Store(max(written.Load(), info.Size()))
		}
	}
	report, err := importer.Run(t.Context(), cfg)
	_ = cfg.Sink.Close()
	if err != nil || report.Sent != n {
		t.Fatal(err, report)
	}
	data, err := os.ReadFile(filepath.Join(b.state, "positions"))
	if err != nil {
		t.Fatal(err)
	}
	if entries := strings.Count(string(data), "\n"); entries > 1000 {
		t.Errorf("the state has %d entries", entries)
	}
	b.imports(0, "")
	b.has(n)
}

func TestObjectForWhichThereIsNoRoomIsReadByTheNextRun(t *testing.T) {
	b := newBucket(t)
	type row struct {
		Bytes int64 `parquet:"bytes"`
		End   int64 `parquet:"end"`
	}
	var content bytes.Buffer
	if err := parquet.Write(&content, []row{{1, 1700000000}, {2, 1700000000}}); err != nil {
		t.Fatal(err)
	}
	b.Put("2026/11/01/a", content.String())
	t.Setenv("TMPDIR", filepath.Join(b.logs, "missing"))
	if report, err := b.run(""); err == nil || !strings.Contains(err.Error(), "TMPDIR") || report.Failed != 0 {
		t.Errorf("%v, %+v", err, report)
	}
	t.Setenv("TMPDIR", b.logs)
	b.imports(2, "")
	if left, err := os.ReadDir(b.logs); err != nil || len(left) != 0 {
		t.Errorf("files are left behind: %v, %v", left, err)
	}
	b.has(2)
}
