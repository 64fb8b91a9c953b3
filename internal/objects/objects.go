// Package objects lists and reads the objects of S3 and of whatever else speaks its
// protocol: MinIO, Ceph, Cloudflare R2, and Google Cloud Storage by its XML API.
//
// Nothing here writes. A network that breaks is tried again and again for half a minute,
// and an object is read on where it broke, by a range; what does not go away by itself is
// an error that says what to do ([ErrAccess], [ErrGone]).
package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Location is where objects are: all those of a bucket whose keys begin with Prefix.
type Location struct {
	Scheme string // s3 or gs
	Bucket string
	Prefix string
}

// IsURL tells whether a name is that of objects, not of files: s3://… or gs://….
func IsURL(name string) bool {
	return strings.HasPrefix(name, "s3://") || strings.HasPrefix(name, "gs://")
}

// Parse reads s3://BUCKET/PREFIX and gs://BUCKET/PREFIX.
func Parse(name string) (Location, error) {
	scheme, rest, _ := strings.Cut(name, "://")
	bucket, prefix, _ := strings.Cut(rest, "/")
	if !IsURL(name) || bucket == "" {
		return Location{}, fmt.Errorf("%q names no bucket: write s3://BUCKET/PREFIX or gs://BUCKET/PREFIX", name)
	}
	return Location{scheme, bucket, prefix}, nil
}

// String returns the location as people write it.
func (l Location) String() string { return l.Scheme + "://" + l.Bucket + "/" + l.Prefix }

// Object is an object as a listing has it. An object never changes: under the same key
// with another ETag there is another one.
type Object struct {
	Location Location // Prefix is its key
	ETag     string
	Size     int64
	Modified time.Time
}

// Name returns the object as people write it.
func (o Object) Name() string { return o.Location.String() }

// Config says how stores are reached.
type Config struct {
	Endpoint  string // of S3, as a URL or HOST:PORT (https); default: that of AWS
	Region    string // default: AWS_REGION, AWS_DEFAULT_REGION, or what the store says
	Anonymous bool   // ask without credentials
	Logger    *slog.Logger

	firstWait, stalled time.Duration // for tests
}

// Client reads from stores. It is safe for use by several goroutines.
type Client struct {
	cfg    Config
	stores map[string]*minio.Core // by scheme
}

const googleEndpoint = "https://storage.googleapis.com"

// Open returns a client for those of locations. It does not connect yet.
func Open(cfg Config, locations []Location) (*Client, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.firstWait == 0 {
		cfg.firstWait = 200 * time.Millisecond
	}
	if cfg.stalled == 0 {
		cfg.stalled = time.Minute
	}
	c := &Client{cfg: cfg, stores: map[string]*minio.Core{}}
	for _, l := range locations {
		if c.stores[l.Scheme] != nil {
			continue
		}
		store, err := c.open(l.Scheme)
		if err != nil {
			return nil, err
		}
		c.stores[l.Scheme] = store
	}
	return c, nil
}

func (c *Client) open(scheme string) (*minio.Core, error) {
	endpoint, region := c.cfg.Endpoint, firstOf(c.cfg.Region, envRegion())
	switch {
	case endpoint != "":
	case scheme == "gs":
		endpoint, region = googleEndpoint, "auto"
	default:
		endpoint = "https://s3.amazonaws.com" // of the region, which is found by the bucket's
	}
	if !strings.Contains(endpoint, "://") {
		endpoint = "https://" + endpoint
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the endpoint %q is no URL like https://minio.example.net:9000, without a path", endpoint)
	}
	transport, err := minio.DefaultTransport(u.Scheme == "https")
	if err != nil {
		return nil, fmt.Errorf("the endpoint %q: %w", endpoint, err)
	}
	creds := credentials.NewStatic("", "", "", credentials.SignatureAnonymous)
	if !c.cfg.Anonymous {
		creds = credentials.New(newChain(scheme))
	}
	store, err := minio.NewCore(u.Host, &minio.Options{
		Creds: creds, Secure: u.Scheme == "https", Region: region, Transport: transport, MaxRetries: 1, // retry does it
	})
	if err != nil {
		return nil, fmt.Errorf("the endpoint %q: %w", endpoint, err)
	}
	store.SetAppInfo("NetMeta", "import")
	return store, nil
}

// List returns the objects of a location in the order of their keys' bytes, those behind
// the key after. It asks for a page of a thousand at a time, when they are needed.
func (c *Client) List(ctx context.Context, l Location, after string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		again := c.newRetry("list " + l.String())
		for {
			err := c.list(ctx, l, &after, again, yield)
			if errors.Is(err, errStopped) || err == nil {
				return
			}
			if err = again.wait(ctx, err); err != nil {
				yield(Object{}, err)
				return
			}
		}
	}
}

var errStopped = errors.New("nobody wants more")

func (c *Client) list(ctx context.Context, l Location, after *string, again *retry, yield func(Object, error) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	noOwner := false
	options := minio.ListObjectsOptions{Prefix: l.Prefix, Recursive: true, StartAfter: *after, FetchOwner: &noOwner}
	for info := range c.stores[l.Scheme].ListObjectsIter(ctx, l.Bucket, options) {
		if info.Err != nil {
			return info.Err
		}
		again.reset()
		*after = info.Key
		o := Object{Location{l.Scheme, l.Bucket, info.Key}, strings.Trim(info.ETag, `"`), info.Size, info.LastModified}
		if strings.HasSuffix(info.Key, "/") && info.Size == 0 {
			continue // what consoles make to show a folder
		}
		if !yield(o, nil) {
			return errStopped
		}
	}
	return ctx.Err()
}

// get asks for an object from an offset on.
func (c *Client) get(ctx context.Context, o Object, offset int64) (io.ReadCloser, error) {
	var options minio.GetObjectOptions
	if err := options.SetMatchETag(o.ETag); err != nil {
		return nil, err
	}
	if offset > 0 {
		if err := options.SetRange(offset, 0); err != nil {
			return nil, err
		}
	}
	if o.Location.Scheme == "gs" {
		options.Set("Accept-Encoding", "gzip") // else Google takes gzip off, and sizes are wrong
	}
	body, info, header, err := c.stores[o.Location.Scheme].GetObject(ctx, o.Location.Bucket, o.Location.Prefix, options)
	if err != nil {
		return nil, err
	}
	if etag := strings.Trim(info.ETag, `"`); etag != "" && etag != o.ETag {
		_ = body.Close()
		return nil, fmt.Errorf("%w: it was replaced", ErrGone)
	}
	if offset > 0 && header.Get("Content-Range") == "" {
		_ = body.Close()
		return nil, errors.New("the store does not answer requests for a part of an object")
	}
	return body, nil
}

func firstOf(names ...string) string {
	for _, name := range names {
		if name != "" {
			return name
		}
	}
	return ""
}
