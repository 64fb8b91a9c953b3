//go:build linux

package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"

	"github.com/leoluk/NetMeta/internal/bench/process"
	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/generate"
)

// shapes start NetMeta in the ways that are measured.
var shapes = map[string]func(options, *site) error{
	"standalone": func(o options, s *site) error { return s.startStandalone(o.standalone, true) },
	"processes": func(o options, s *site) error {
		if err := s.startStandalone(o.standalone, false); err != nil {
			return err
		}
		return s.startCollector(o.netmeta)
	},
}

// site is a running NetMeta.
type site struct {
	dir   string
	parts []part

	listeners map[generate.Protocol]string // HOST:PORT for UDP
	metrics   string                       // HOST:PORT of what the collector says
	db        *sql.DB                      // ClickHouse
	kafka     string
}

// part is one of the programs.
type part struct {
	*process.Process
	name string
}

func (s *site) start(name string, command ...string) (*process.Process, error) {
	p, err := process.Start(command)
	if err == nil {
		s.parts = append(s.parts, part{p, name})
	}
	return p, err
}

// stop stops the programs, the collector before what it writes to.
func (s *site) stop() {
	if s.db != nil {
		s.db.Close()
	}
	for i := len(s.parts) - 1; i >= 0; i-- {
		s.parts[i].Stop()
	}
}

const anyPort = "127.0.0.1:0"

// listen are the flags that both programs have.
func listen(args ...string) []string {
	return append(args, "--sflow", anyPort, "--netflow", anyPort, "--netflow-legacy", anyPort, "--metrics", anyPort)
}

// startStandalone starts netmeta-standalone. Where it is not to collect, its sockets
// have nothing to do.
func (s *site) startStandalone(program string, collects bool) error {
	name := "netmeta-standalone"
	if !collects {
		name += " (broker and engine)"
	}
	data := filepath.Join(s.dir, "standalone")
	p, err := s.start(name, append(listen(program), "--data-dir", data,
		"--console", anyPort, "--clickhouse-http", anyPort, "--kafka", anyPort)...)
	if err != nil {
		return err
	}
	var at struct {
		Console        string `json:"console"`
		ClickHouseHTTP string `json:"clickhouse_http"`
		Kafka          string `json:"kafka"`
		Metrics        string `json:"metrics"`
		SFlow          string `json:"sflow"`
		NetFlow        string `json:"netflow"`
		NetFlowLegacy  string `json:"netflow_legacy"`
	}
	err = p.Await("readiness", func() (bool, error) {
		text, err := os.ReadFile(filepath.Join(data, "addresses.json"))
		if os.IsNotExist(err) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("read where it listens: %w", err)
		}
		if err := json.Unmarshal(text, &at); err != nil {
			return false, fmt.Errorf("read where it listens: %w", err)
		}
		return answersOK("http://" + at.Console + "/-/ready"), nil
	})
	if err != nil {
		return err
	}
	s.kafka = at.Kafka
	if collects {
		s.metrics = at.Metrics
		s.setListeners(at.SFlow, at.NetFlow, at.NetFlowLegacy)
	}
	s.db, err = clickhouse.Open(at.ClickHouseHTTP)
	return err
}

func (s *site) setListeners(sflow, netflow, legacy string) {
	s.listeners = map[generate.Protocol]string{
		generate.SFlow: sflow, generate.NetFlow5: legacy, generate.NetFlow9: netflow, generate.IPFIX: netflow,
	}
}

// startCollector starts netmeta collect with a spool, as a cluster runs it.
func (s *site) startCollector(program string) error {
	p, err := s.start("netmeta collect", append(listen(program, "collect"), "--kafka", s.kafka, "--state-dir", filepath.Join(s.dir, "collect"))...)
	if err != nil {
		return err
	}
	return p.Await("readiness", func() (bool, error) {
		log := p.Log()
		s.setListeners(said(log, `listener=sflow address=(\S+)`), said(log, `listener=netflow address=(\S+)`), said(log, `listener=netflow-legacy address=(\S+)`))
		s.metrics = said(log, `serving url=http://([^/\s]+)`)
		return s.metrics != "" && answersOK("http://"+s.metrics+"/readyz"), nil
	})
}

// said returns the group of a pattern in a log, "" where it is not there yet.
func said(log, pattern string) string {
	if found := regexp.MustCompile(pattern).FindStringSubmatch(log); found != nil {
		return found[1]
	}
	return ""
}

func answersOK(url string) bool {
	response, err := http.Get(url)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}
