// Command go is an example of a program that sends flows: it reads them as CSV from
// standard input and publishes them to NetMeta.
//
//	go run ./doc/examples/go 127.0.0.1:9092 < doc/examples/flows.csv
//
// A line has the time (seconds since 1970-01-01 UTC, or nothing for now), exporter,
// source, destination, IP protocol, source port, destination port, bytes and packets.
package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"time"

	"github.com/leoluk/NetMeta/pb"
	"github.com/leoluk/NetMeta/pb/publish"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) != 2 {
		log.Fatal("usage: go BROKER < FLOWS.csv")
	}
	if err := run(ctx, os.Args[1], os.Stdin); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, broker string, in io.Reader) (err error) {
	p, err := publish.Open(publish.Config{Brokers: []string{broker}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close(ctx)) }()
	lines := csv.NewReader(in)
	lines.FieldsPerRecord = 9
	for {
		line, err := lines.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		flow, err := parse(line)
		if err == nil {
			err = p.Send(ctx, flow)
		}
		if err != nil {
			number, _ := lines.FieldPos(0)
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
}

func parse(line []string) (*pb.FlowMessage, error) {
	if line[0] == "" {
		line[0] = strconv.FormatInt(time.Now().Unix(), 10)
	}
	var numbers [9]uint64
	var addresses [4]netip.Addr
	var err error
	for i, text := range line {
		var one error
		if i >= 1 && i <= 3 {
			addresses[i], one = netip.ParseAddr(text)
		} else {
			numbers[i], one = strconv.ParseUint(text, 10, 64)
		}
		err = errors.Join(err, one)
	}
	if err != nil {
		return nil, err
	}
	etype := uint32(0x0800) // IPv4
	if addresses[2].Is6() {
		etype = 0x86dd
	}
	return &pb.FlowMessage{
		TimeReceived: numbers[0], TimeFlowStart: numbers[0], TimeFlowEnd: numbers[0],
		SamplerAddress: addresses[1].AsSlice(), SamplingRate: 1,
		SrcAddr: addresses[2].AsSlice(), DstAddr: addresses[3].AsSlice(), Etype: etype,
		Proto: uint32(numbers[4]), SrcPort: uint32(numbers[5]), DstPort: uint32(numbers[6]),
		Bytes: numbers[7], Packets: numbers[8],
	}, nil
}
