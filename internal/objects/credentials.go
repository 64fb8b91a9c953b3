package objects

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// chain asks for credentials where AWS's own programs do ("Standardized credential
// providers", AWS SDKs and Tools Reference Guide): the environment, the profile of the
// shared configuration (keys, SSO, credential_process), and what the machine has: a web
// identity, the container, the instance. Unlike that of the library, it says why it found
// none.
type chain struct {
	providers []namedProvider
	current   credentials.Provider
}

type namedProvider struct {
	name string
	credentials.Provider
}

func newChain(scheme string) *chain {
	c := &chain{providers: []namedProvider{
		{"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", &credentials.EnvAWS{}},
		{"the profile " + firstOf(os.Getenv("AWS_PROFILE"), "default"), &credentials.FileAWSCredentials{}},
	}}
	if scheme == "s3" {
		c.providers = append(c.providers, namedProvider{"the role of this machine", &credentials.IAM{Client: &http.Client{Timeout: 10 * time.Second}}})
	}
	return c
}

// errNoCredentials is what a chain ends with.
var errNoCredentials = errors.New("no credentials")

// RetrieveWithCredContext implements credentials.Provider.
func (c *chain) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	var failed []error
	for _, p := range c.providers {
		value, err := p.RetrieveWithCredContext(cc)
		if err == nil && value.AccessKeyID != "" && value.SecretAccessKey != "" {
			c.current = p
			return value, nil
		}
		if err == nil {
			err = errors.New("not set")
		}
		failed = append(failed, fmt.Errorf("%s: %w", p.name, err))
	}
	return credentials.Value{}, fmt.Errorf("%w: %w", errNoCredentials, errors.Join(failed...))
}

// Retrieve implements credentials.Provider.
func (c *chain) Retrieve() (credentials.Value, error) { return c.RetrieveWithCredContext(nil) }

// IsExpired implements credentials.Provider.
func (c *chain) IsExpired() bool { return c.current == nil || c.current.IsExpired() }

func envRegion() string { return firstOf(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")) }
