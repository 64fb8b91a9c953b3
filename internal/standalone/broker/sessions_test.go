package broker

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestConsumersThatVanishAreGivenUpSoonerThanTheyAsk(t *testing.T) {
	b, err := start(t, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan time.Duration, 1)
	b.cluster.ControlKey(int16(kmsg.JoinGroup), func(request kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.KeepControl()
		select {
		case asked <- time.Duration(request.(*kmsg.JoinGroupRequest).SessionTimeoutMillis) * time.Millisecond:
		default:
		}
		return nil, nil, false
	})
	c := client(t, b, kgo.ConsumerGroup("clickhouse"), kgo.ConsumeTopics("flow-messages"), kgo.SessionTimeout(45*time.Second))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go c.PollFetches(ctx)
	select {
	case timeout := <-asked:
		if timeout != sessionTimeout {
			t.Errorf("the session ends after %s, want %s", timeout, sessionTimeout)
		}
	case <-time.After(time.Minute):
		t.Error("the consumer did not join its group")
	}
}

// dial returns what sends requests on a connection of its own and returns the answers,
// and what closes the connection.
func dial(t *testing.T, b *Broker) (send func(kmsg.Request), answer func(kmsg.Response), hangUp func()) {
	t.Helper()
	conn, err := net.Dial("tcp", b.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	send = func(request kmsg.Request) {
		request.SetVersion(5)
		if _, err := conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, request, 1)); err != nil {
			t.Fatal(err)
		}
	}
	answer = func(response kmsg.Response) {
		var size [4]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			t.Fatal(err)
		}
		body := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(conn, body); err != nil {
			t.Fatal(err)
		}
		response.SetVersion(5)
		body = body[4:] // correlation id
		if response.IsFlexible() {
			body = body[1:] // no tags
		}
		if err := response.ReadFrom(body); err != nil {
			t.Fatal(err)
		}
	}
	return send, answer, func() { conn.Close() }
}

func joining(id string) *kmsg.JoinGroupRequest {
	request := kmsg.NewPtrJoinGroupRequest()
	request.Group, request.MemberID, request.ProtocolType = "clickhouse", id, "consumer"
	request.SessionTimeoutMillis, request.RebalanceTimeoutMillis = 45_000, 300_000
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name = "range"
	request.Protocols = append(request.Protocols, protocol)
	return request
}

func TestConsumerThatEndsWhileItWaitsToJoinIsMadeToLeave(t *testing.T) {
	b, err := start(t, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	send, answer, _ := dial(t, b)
	var first, joined kmsg.JoinGroupResponse
	sync := func() {
		request := kmsg.NewPtrSyncGroupRequest()
		request.Group, request.MemberID, request.Generation = "clickhouse", joined.MemberID, joined.Generation
		request.ProtocolType, request.Protocol = kmsg.StringPtr("consumer"), kmsg.StringPtr("range")
		send(request)
		answer(kmsg.NewPtrSyncGroupResponse())
	}
	send(joining(""))
	answer(&first)
	send(joining(first.MemberID))
	answer(&joined)
	sync()

	sendOther, answerOther, hangUp := dial(t, b)
	var other kmsg.JoinGroupResponse
	sendOther(joining(""))
	answerOther(&other)
	sendOther(joining(other.MemberID))
	waitForMembers(t, b, 2)
	hangUp()
	ended := time.Now()
	time.Sleep(time.Second) // the broker notices

	send(joining(first.MemberID))
	answer(&joined)
	sync()
	waitForMembers(t, b, 2)
	b.sessions.expel(t.Context(), b.client, ended.Add(silence))
	waitForMembers(t, b, 1)
}

func waitForMembers(t *testing.T, b *Broker, n int) {
	t.Helper()
	request := kmsg.NewPtrDescribeGroupsRequest()
	request.Groups = []string{"clickhouse"}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		response, err := request.RequestWith(t.Context(), b.client)
		if err != nil {
			t.Fatal(err)
		}
		if len(response.Groups[0].Members) == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the group has %d members, want %d", len(response.Groups[0].Members), n)
		}
	}
}
