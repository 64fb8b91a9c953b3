package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/leoluk/NetMeta/internal/names"
	"github.com/leoluk/NetMeta/internal/settings"
)

// startNames keeps the names of interfaces, hosts and the like up to date, until the
// program stops. What the settings say of exporters goes to the collector.
func (s *standalone) startNames(context.Context) error {
	service, err := names.New(names.Config{
		DB: s.db, File: s.config.settings,
		Applied: func(read *settings.Settings) { s.collector.Override(read.Overrides()) },
	})
	if err != nil {
		return fmt.Errorf("--settings: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		defer close(done)
		service.Run(ctx, reload)
	}()
	s.onStop(func() {
		signal.Stop(reload)
		cancel()
		<-done
	})
	return nil
}
