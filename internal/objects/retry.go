package objects

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"
)

var (
	// ErrAccess is why a store refuses: credentials, permissions, names. It does not go
	// away by itself.
	ErrAccess = errors.New("the store refuses")
	// ErrGone is returned for an object that is no longer there, or was replaced.
	ErrGone = errors.New("the object is gone")
	// ErrUnreachable is returned when the store could not be reached for half a minute.
	ErrUnreachable = errors.New("the store cannot be reached")
)

const (
	attempts = 8 // without any progress: about 25 s by the default of firstWait
	mostWait = 15 * time.Second
)

// retry counts attempts at something.
type retry struct {
	client *Client
	what   string
	failed int
}

func (c *Client) newRetry(what string) *retry { return &retry{client: c, what: what} }

// reset notes progress.
func (r *retry) reset() { r.failed = 0 }

// wait waits before the next attempt, ever longer. It returns an error if there is to be
// none.
func (r *retry) wait(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if final := explain(err); final != nil {
		return fmt.Errorf("%s: %w", r.what, final)
	}
	if r.failed++; r.failed >= attempts {
		return fmt.Errorf("%s: %w, %d times in a row: %w", r.what, ErrUnreachable, r.failed, err)
	}
	delay := min(r.client.cfg.firstWait<<(r.failed-1), mostWait)
	delay = delay/2 + rand.N(delay/2+1)
	if r.failed == 3 { // it was no moment
		r.client.cfg.Logger.Warn("objects: the store cannot be reached; trying again", "what", r.what, "error", err)
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(delay):
		return nil
	}
}

// advice is what to do about answers that stay the same ("Error responses", Amazon S3 API
// Reference).
var advice = map[string]string{
	"AccessDenied":                 "the credentials must allow s3:ListBucket on the bucket and s3:GetObject on its objects, and kms:Decrypt where it is encrypted by a key",
	"AllAccessDisabled":            "its owner has disabled the bucket",
	"InvalidAccessKeyId":           "the store does not know the access key: check AWS_ACCESS_KEY_ID, AWS_PROFILE, and that --s3-endpoint is the right store",
	"SignatureDoesNotMatch":        "the secret key is not that of the access key: check AWS_SECRET_ACCESS_KEY",
	"ExpiredToken":                 "the session has expired: log in again (aws sso login), or use credentials that are renewed, such as an instance role",
	"TokenRefreshRequired":         "the session has expired: log in again (aws sso login), or use credentials that are renewed, such as an instance role",
	"InvalidToken":                 "the session token is not valid: check AWS_SESSION_TOKEN, and unset it for keys of a user",
	"RequestTimeTooSkewed":         "the clock of this machine is wrong: set it",
	"NoSuchBucket":                 "check the name of the bucket and --s3-endpoint",
	"InvalidBucketName":            "check the name of the bucket",
	"AuthorizationHeaderMalformed": "the bucket is in another region: say --s3-region",
	"PermanentRedirect":            "the bucket is in another region: say --s3-region",
	"InvalidObjectState":           "the object is archived (Glacier): restore it first",
	"NotImplemented":               "the store does not support what was asked for",
}

// explain returns what is to be told of an error that will come again, and nil for others.
func explain(err error) error {
	if errors.Is(err, ErrGone) || errors.Is(err, ErrAccess) {
		return err
	}
	if errors.Is(err, errNoCredentials) {
		return fmt.Errorf("%w: set one of these, or say --s3-anonymous for a public bucket: %w", ErrAccess, err)
	}
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return nil
	}
	if answer.Code == "NoSuchKey" || answer.StatusCode == http.StatusPreconditionFailed || answer.Code == "PreconditionFailed" {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	if text := advice[answer.Code]; text != "" {
		return fmt.Errorf("%w: %s (%s): %s", ErrAccess, answer.Code, answer.Message, text)
	}
	if answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusUnauthorized {
		return fmt.Errorf("%w: %w: %s", ErrAccess, err, advice["AccessDenied"])
	}
	if answer.StatusCode >= 400 && answer.StatusCode < 500 && answer.StatusCode != http.StatusRequestTimeout && answer.StatusCode != http.StatusTooManyRequests {
		return fmt.Errorf("%w: %w", ErrAccess, err)
	}
	return nil
}
