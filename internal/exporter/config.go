package exporter

import (
	"fmt"
	"time"
)

// Config bounds a Table. Zero values take the defaults given with each field.
type Config struct {
	MaxExporters     int // established exporters; default 65,536
	MaxBytes         int // what is kept of all of them, estimated; default 128 MiB
	MaxNewcomers     int // exporters that were not heard of again yet; default 8,192
	MaxNewcomerBytes int // what is kept of all of them, estimated; default 8 MiB

	MaxTemplates    int // of one exporter; default 4,096
	MaxSamplers     int // sampling rates of one exporter, and times of start; default 1,024
	MaxApplications int // names of applications of one exporter; default 8,192
	MaxStreams      int // sequences of numbers of one exporter; default 256
	MaxHeld         int // bytes of data sets that wait for their template, of all exporters; default 16 MiB
	MaxSeries       int // exporters with metrics of their own, see NewCollector; default 1,000

	Idle         time.Duration // an exporter not heard of for so long is forgotten; default 24 h
	Lifetime     time.Duration // what it said is forgotten when it was neither repeated nor needed for so long; default 24 h
	TemplateWait time.Duration // a data set waits so long for its template; default 5 min

	DefaultRate uint64    // packets per sample where an exporter says nothing; 0: unknown
	Overrides   Overrides // what is configured for single exporters
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		value   *int
		name    string
		initial int
	}{
		{&c.MaxExporters, "MaxExporters", 65_536},
		{&c.MaxBytes, "MaxBytes", 128 << 20},
		{&c.MaxNewcomers, "MaxNewcomers", 8_192},
		{&c.MaxNewcomerBytes, "MaxNewcomerBytes", 8 << 20},
		{&c.MaxTemplates, "MaxTemplates", 4_096},
		{&c.MaxSamplers, "MaxSamplers", 1_024},
		{&c.MaxApplications, "MaxApplications", 8_192},
		{&c.MaxStreams, "MaxStreams", 256},
		{&c.MaxHeld, "MaxHeld", 16 << 20},
		{&c.MaxSeries, "MaxSeries", 1_000},
	} {
		if *d.value < 0 {
			panic(fmt.Sprintf("exporter table: %s is %d, which is negative", d.name, *d.value))
		}
		if *d.value == 0 {
			*d.value = d.initial
		}
	}
	for _, d := range []struct {
		value   *time.Duration
		initial time.Duration
	}{
		{&c.Idle, 24 * time.Hour},
		{&c.Lifetime, 24 * time.Hour},
		{&c.TemplateWait, 5 * time.Minute},
	} {
		if *d.value == 0 {
			*d.value = d.initial
		}
	}
	return c
}
