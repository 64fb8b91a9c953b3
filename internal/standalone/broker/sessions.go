package broker

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// sessionTimeout is after how much silence a consumer counts as gone. Consumers send
// heartbeats every 3 s, over loopback; on a machine that has no time even for that, one
// that counts as gone has what it was storing delivered to the next, and stored twice.
const sessionTimeout = 20 * time.Second

// rebalanceTimeout is how long a group waits for a consumer to join again when another
// one comes: as long as it may take to store a block on a slow disk. One that is gone
// holds up the others for all of it if they come before its session has ended.
const rebalanceTimeout = time.Minute

// silence is after how long without a word a member is made to leave its group. One that
// waits for others to join says nothing for as long as rebalanceTimeout.
const silence = rebalanceTimeout + sessionTimeout

// sessions remembers when members of groups were heard. kfake watches their sessions,
// but not of one whose connection breaks while it waits to join: it would get its share
// of the partitions, and keep it for ever.
type sessions struct {
	mu    sync.Mutex
	heard map[member]time.Time
	stop  func()
}

type member struct{ group, id string }

// watchSessions gives consumers sessions of sessionTimeout, and rebalanceTimeout, where
// they ask for more, and makes silent ones leave until stop is called.
// ClickHouse's consumers do not say when they end: the partitions of one whose table
// was dropped or detached would lie idle for the 45 s that it asks for.
func watchSessions(cluster *kfake.Cluster, client *kgo.Client) *sessions {
	s := &sessions{heard: make(map[member]time.Time)}
	for _, key := range []kmsg.Key{kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat, kmsg.OffsetCommit, kmsg.LeaveGroup} {
		cluster.ControlKey(int16(key), func(request kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			s.control(request)
			return nil, nil, false
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(sessionTimeout / 4):
			}
			s.expel(ctx, client, time.Now())
		}
	})
	s.stop = func() { cancel(); running.Wait() }
	return s
}

// control takes note of a request of a member.
func (s *sessions) control(request kmsg.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r := request.(type) {
	case *kmsg.JoinGroupRequest:
		r.SessionTimeoutMillis = min(r.SessionTimeoutMillis, int32(sessionTimeout.Milliseconds()))
		r.RebalanceTimeoutMillis = min(r.RebalanceTimeoutMillis, int32(rebalanceTimeout.Milliseconds()))
		if r.MemberID != "" {
			s.heard[member{r.Group, r.MemberID}] = time.Now()
		}
	case *kmsg.SyncGroupRequest:
		s.heard[member{r.Group, r.MemberID}] = time.Now()
	case *kmsg.HeartbeatRequest:
		s.heard[member{r.Group, r.MemberID}] = time.Now()
	case *kmsg.OffsetCommitRequest:
		if r.MemberID != "" {
			s.heard[member{r.Group, r.MemberID}] = time.Now()
		}
	case *kmsg.LeaveGroupRequest:
		for _, leaving := range r.Members {
			delete(s.heard, member{r.Group, leaving.MemberID})
		}
	}
}

// expel makes the members leave that were silent for too long at that time. Most are no
// members any more, which does no harm.
func (s *sessions) expel(ctx context.Context, client *kgo.Client, now time.Time) {
	s.mu.Lock()
	var silent []member
	for m, heard := range s.heard {
		if now.Sub(heard) > silence {
			silent = append(silent, m)
			delete(s.heard, m)
		}
	}
	s.mu.Unlock()
	for _, m := range silent {
		request := kmsg.NewPtrLeaveGroupRequest()
		request.Group = m.group
		leaving := kmsg.NewLeaveGroupRequestMember()
		leaving.MemberID = m.id
		request.Members = append(request.Members, leaving)
		if _, err := request.RequestWith(ctx, client); err != nil && ctx.Err() == nil {
			slog.Warn("broker: a consumer that is gone keeps its partitions", "group", m.group, "member", m.id, "error", err)
		}
	}
}

// forgetSessions removes what kfake remembers of the clients that were connected
// when it stopped. The consumers among them ended with the process; a group that
// still counts them waits for their session timeout, 45 s, before it gives their
// partitions to the consumers of today. Offsets are kept elsewhere.
func forgetSessions(dataDir string) error {
	err := os.Remove(filepath.Join(dataDir, "session_state.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
