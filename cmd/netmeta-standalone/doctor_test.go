package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/leoluk/NetMeta/internal/clickhouse"
	"github.com/leoluk/NetMeta/internal/doctor"
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/queue"
)

// diagnose examines a running instance, as netmeta doctor --data-dir does, after change
// has been made to where it looks.
func diagnose(t *testing.T, i *instance, change func(*doctor.Targets)) doctor.Report {
	t.Helper()
	targets, err := doctor.Standalone(i.dir)
	if err != nil {
		t.Fatal(err)
	}
	targets.Topics = []queue.TopicState{
		{Topic: flow.Topic, Group: clickhouse.DefaultGroup},
		{Topic: flow.CountersTopic, Group: clickhouse.DefaultGroup + "-counters"},
		{Topic: flow.PipelineTopic, Group: clickhouse.DefaultGroup + "-pipeline"},
		{Topic: flow.TracesTopic, Group: clickhouse.DefaultGroup + "-traces"},
	}
	if change != nil {
		change(&targets)
	}
	facts, err := doctor.Gather(t.Context(), targets, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return doctor.Diagnose(facts)
}

// asItIs looks where the instance is.
func asItIs(*doctor.Targets) {}

// found returns an error unless the stage has a finding of the level that says want.
func found(r doctor.Report, stage string, level doctor.Level, want string) error {
	for _, s := range r.Stages {
		if s.ID != stage {
			continue
		}
		for _, f := range s.Findings {
			if f.Level == level && strings.Contains(f.What, want) {
				return nil
			}
		}
		return fmt.Errorf("stage %s has no %s that says %q: %+v", stage, level, want, s.Findings)
	}
	return fmt.Errorf("there is no stage %s", stage)
}

// sendAgain sends a datagram ten times a second from an address, as an exporter does, until
// the returned function is called.
func sendAgain(t *testing.T, from, to string, datagram []byte) (stop func()) {
	t.Helper()
	local, err := net.ResolveUDPAddr("udp", from+":0")
	if err != nil {
		t.Fatal(err)
	}
	remote, err := net.ResolveUDPAddr("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialUDP("udp", local, remote)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			conn.Write(datagram) // one that is lost is followed by another
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
		conn.Close()
	}()
	return func() { cancel(); <-done }
}

// withoutTemplate is a datagram of NetFlow v9 with a data set whose template was not sent.
func withoutTemplate() []byte {
	b := make([]byte, 20+4+16)
	binary.BigEndian.PutUint16(b, 9)
	binary.BigEndian.PutUint16(b[2:], 1)
	binary.BigEndian.PutUint32(b[8:], uint32(time.Now().Unix()))
	binary.BigEndian.PutUint32(b[16:], 7) // source id
	binary.BigEndian.PutUint16(b[20:], 300)
	binary.BigEndian.PutUint16(b[22:], 20)
	return b
}

// withoutRate is a datagram of NetFlow v5 that says nothing of sampling.
func withoutRate() []byte {
	b := make([]byte, 24+48)
	binary.BigEndian.PutUint16(b, 5)
	binary.BigEndian.PutUint16(b[2:], 1)
	binary.BigEndian.PutUint32(b[4:], 3_600_000)
	binary.BigEndian.PutUint32(b[8:], uint32(time.Now().Unix()))
	copy(b[24:], []byte{198, 18, 0, 1, 198, 19, 0, 1})
	binary.BigEndian.PutUint32(b[40:], 1)
	binary.BigEndian.PutUint32(b[44:], 100)
	b[62] = 17
	return b
}

func TestDoctorNamesTheStageOfEachFaultOfARunningInstance(t *testing.T) {
	i := start(t, t.TempDir())
	report := diagnose(t, i, asItIs)
	if err := found(report, "sockets", doctor.Problem, "no datagram has arrived"); err != nil || report.First != "sockets" {
		t.Errorf("nothing was sent: the first problem is at %q; %v", report.First, err)
	}
	report = diagnose(t, i, func(targets *doctor.Targets) { targets.NetFlow = i.NetFlow })
	if err := found(report, "probe", doctor.OK, "was stored after"); err != nil || report.Level != doctor.OK {
		t.Errorf("with a probe the report has level %s: %v\n%+v", report.Level, err, report)
	}

	poison := &kafka.Writer{Addr: kafka.TCP(i.Kafka), Topic: flow.Topic, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond}
	if err := errors.Join(poison.WriteMessages(t.Context(), kafka.Message{Value: []byte("no FlowMessage")}), poison.Close()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a message that cannot be parsed", func() error {
		report = diagnose(t, i, asItIs)
		return found(report, "clickhouse", doctor.Problem, "1 message of the last ten minutes could not be parsed; the newest is of topic flow-messages")
	})
	if report.First != "clickhouse" {
		t.Errorf("with poison, the first problem is at %s:\n%+v", report.First, report)
	}

	for _, fault := range []struct {
		name, from string
		datagram   []byte
		stage      string
		level      doctor.Level
		want       string
	}{
		{"another protocol", "127.0.0.2", []byte("this is neither NetFlow nor IPFIX"), "decoding", doctor.Problem, "could not be decoded: version"},
		{"template missing", "127.0.0.3", withoutTemplate(), "decoding", doctor.Problem, "flows of 127.0.0.3 wait for their template"},
		{"rate unknown", "127.0.0.4", withoutRate(), "exporters", doctor.Warning, "the sampling rate of 127.0.0.4 is unknown"},
	} {
		stop := sendAgain(t, fault.from, i.NetFlow, fault.datagram)
		eventually(t, fault.name, func() error { return found(diagnose(t, i, asItIs), fault.stage, fault.level, fault.want) })
		stop()
	}

	nowhere := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().String()
	}()
	if err := found(diagnose(t, i, func(targets *doctor.Targets) { targets.Console = nowhere }), "console", doctor.Problem, "does not answer"); err != nil {
		t.Error(err)
	}

	i.Kill()
	report = diagnose(t, i, asItIs)
	for stage, want := range map[string]string{"sockets": "does not answer", "kafka": "cannot be reached", "clickhouse": "cannot be reached", "console": "does not answer"} {
		if err := found(report, stage, doctor.Problem, want); err != nil {
			t.Errorf("the instance was killed: %v", err)
		}
	}
}
