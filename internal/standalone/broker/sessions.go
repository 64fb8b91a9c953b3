package broker

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
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

// shortenSessions gives consumers sessions of sessionTimeout, and rebalanceTimeout, where
// they ask for more.
// ClickHouse's consumers do not say when they end: the partitions of one whose table
// was dropped or detached would lie idle for the 45 s that it asks for.
func shortenSessions(cluster *kfake.Cluster) {
	cluster.ControlKey(int16(kmsg.JoinGroup), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		join := request.(*kmsg.JoinGroupRequest)
		join.SessionTimeoutMillis = min(join.SessionTimeoutMillis, int32(sessionTimeout.Milliseconds()))
		join.RebalanceTimeoutMillis = min(join.RebalanceTimeoutMillis, int32(rebalanceTimeout.Milliseconds()))
		return nil, nil, false
	})
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
