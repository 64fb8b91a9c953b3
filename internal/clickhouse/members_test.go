package clickhouse_test

import (
	"context"
	"database/sql"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leoluk/NetMeta/internal/clickhouse"
)

// members are those of ClickHouse's consumer group. Not by kafka-go: its LeaveGroup left
// them in the embedded broker.
type members struct{ client *kgo.Client }

func newMembers(t *testing.T, broker string) members {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return members{client}
}

// all returns the ids of all members.
func (m members) all(t *testing.T) (ids []string) {
	t.Helper()
	describe := kmsg.NewPtrDescribeGroupsRequest()
	describe.Groups = []string{clickhouse.DefaultGroup}
	described, err := describe.RequestWith(context.Background(), m.client)
	if err != nil {
		t.Error(err)
		return nil
	}
	for _, member := range described.Groups[0].Members {
		ids = append(ids, member.MemberID)
	}
	return ids
}

// leave removes members, as Kafka does when it has not heard of them for 45 s: consumers
// of a process that was killed, and those of a table that was dropped, do not say so.
func (m members) leave(t *testing.T, ids []string) {
	t.Helper()
	if len(ids) == 0 {
		return
	}
	leave := kmsg.NewPtrLeaveGroupRequest()
	leave.Group = clickhouse.DefaultGroup
	for _, id := range ids {
		member := kmsg.NewLeaveGroupRequestMember()
		member.MemberID = id
		leave.Members = append(leave.Members, member)
	}
	left, err := leave.RequestWith(context.Background(), m.client)
	if err == nil {
		err = kerr.ErrorForCode(left.ErrorCode)
	}
	if err != nil {
		t.Errorf("remove %q from the group: %v", ids, err)
		return
	}
	for _, member := range left.Members {
		if err := kerr.ErrorForCode(member.ErrorCode); err != nil {
			t.Errorf("remove %s from the group: %v", member.MemberID, err)
		}
	}
}

// buryDead removes members that belong to no table of db any more, until stop is called.
// Each migration that makes a queue anew would otherwise wait for Kafka to miss one.
func (m members) buryDead(t *testing.T, db *sql.DB) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		var missing []string // those that were missing the last time: one may just be joining
		for ; ctx.Err() == nil; time.Sleep(500 * time.Millisecond) {
			there := m.all(t)
			var consumers []string
			if err := db.QueryRowContext(ctx, `SELECT groupArray(consumer_id) FROM system.kafka_consumers`).Scan(&consumers); err != nil {
				continue
			}
			missed := slices.DeleteFunc(there, func(id string) bool { return slices.Contains(consumers, id) })
			m.leave(t, slices.DeleteFunc(slices.Clone(missed), func(id string) bool { return !slices.Contains(missing, id) }))
			missing = missed
		}
	})
	return func() { cancel(); wait.Wait() }
}
