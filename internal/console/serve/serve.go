// Package serve is what the commands that serve the console have in common: the flags
// that say who may use it, and what it shows.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/pflag"

	"github.com/leoluk/NetMeta/internal/alert"
	"github.com/leoluk/NetMeta/internal/console"
	"github.com/leoluk/NetMeta/internal/console/access"
	"github.com/leoluk/NetMeta/internal/dashboard"
)

// Flags say where the console is, who may use it, and who is told of alerts.
type Flags struct {
	Address        string
	passwordFile   string
	trustedHeader  string   // with the user, from trustedProxies
	trustedProxies []string // addresses and networks
	alertWebhook   string
}

// Add defines the flags of a program by its name, whose command hash-password makes the
// password's file.
func (f *Flags) Add(flags *pflag.FlagSet, program string) {
	flags.StringVar(&f.Address, "console", "127.0.0.1:8080", "address of the console")
	flags.StringVar(&f.passwordFile, "console-password-file", "", "file with the hash of the console's password, made by "+program+" hash-password")
	flags.StringVar(&f.trustedHeader, "console-trusted-header", "", "header in which a proxy in front of the console says who has logged in, for example X-Forwarded-User")
	flags.StringSliceVar(&f.trustedProxies, "console-trusted-proxies", nil, "addresses or networks of the proxies that may send it, for example 192.0.2.7,10.0.0.0/8")
	flags.StringVar(&f.alertWebhook, "alert-webhook", "", "URL to post firing alerts to, in the form of Alertmanager's API, for example http://127.0.0.1:9093/api/v2/alerts")
}

// Access is who may use the console. It is an error if nobody says so and other machines
// can reach it.
func (f *Flags) Access(ctx context.Context) (a access.Config, err error) {
	if f.passwordFile != "" {
		if a.Password, err = access.ReadPassword(f.passwordFile); err != nil {
			return a, fmt.Errorf("--console-password-file: %w", err)
		}
	}
	a.Header = f.trustedHeader
	if a.Proxies, err = access.ParseProxies(f.trustedProxies); err != nil {
		return a, fmt.Errorf("--console-trusted-proxies: %w", err)
	}
	return a, a.Check(ctx, f.Address)
}

// Webhook is who is told of alerts, or nil.
func (f *Flags) Webhook() (*alert.Webhook, error) {
	if f.alertWebhook == "" {
		return nil, nil
	}
	webhook, err := alert.NewWebhook(f.alertWebhook)
	if err != nil {
		return nil, fmt.Errorf("--alert-webhook: %w", err)
	}
	return webhook, nil
}

// Listen listens on the address that a flag has.
func Listen(what, flag, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for %s on %s (choose another address with --%s): %w", what, address, flag, err)
	}
	return listener, nil
}

// Start answers HTTP requests on listener until stop is called. Queries that run longer
// than a second from then on are cut off.
func Start(listener net.Listener, handler http.Handler) (stop func()) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	go server.Serve(listener)
	return func() {
		shutdown, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(shutdown) != nil {
			server.Close()
		}
	}
}

// Watch lets the console evaluate alerts and take note of losses while no browser is
// open, until stop is called.
func Watch(ctx context.Context, page *console.Console) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		page.Watch(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// ReadDefinitions reads the dashboards, netmeta-NAME.json, and the alert rules,
// alerts.json, of a directory into a configuration. It needs no alert rules.
func ReadDefinitions(files fs.FS, c *console.Config) (err error) {
	if c.Dashboards, err = dashboard.Load(files); err != nil {
		return err
	}
	rules, err := fs.ReadFile(files, "alerts.json")
	if errors.Is(err, fs.ErrNotExist) {
		slog.Warn("console: there are no alert rules")
		return nil
	}
	if err != nil {
		return fmt.Errorf("read alert rules: %w", err)
	}
	c.Alerts, err = alert.Parse(rules)
	return err
}
