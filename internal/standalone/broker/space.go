package broker

import (
	"log/slog"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sys/unix"
)

var producesRefused = promauto.NewCounter(prometheus.CounterOpts{
	Name: "netmeta_broker_refused_total",
	Help: "Requests to store records that the embedded broker refused because the disk is almost full; producers send them again.",
})

// spaceReserve is how much of the disk the broker leaves free, in bytes: several
// times what producers can have under way when it runs short.
const spaceReserve = 128 << 20

// space refuses records while the disk is almost full, before a write can fail.
// After a failed write kfake has counted the batch's sequence number all the same,
// takes the producer's next attempt for a duplicate, and acknowledges what is lost.
type space struct {
	dir   string
	free  func() (uint64, error) // bytes
	short atomic.Bool            // as it was said last
}

func newSpace(dir string) *space {
	return &space{dir: dir, free: func() (uint64, error) {
		var stat unix.Statfs_t
		err := unix.Statfs(dir, &stat)
		return stat.Bavail * uint64(stat.Bsize), err
	}}
}

// control is a control function of kfake's for Produce requests.
func (s *space) control(request kmsg.Request) (kmsg.Response, error, bool) {
	if !s.isShort() {
		return nil, nil, false
	}
	producesRefused.Inc()
	produce := request.(*kmsg.ProduceRequest)
	response := produce.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range produce.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			partition := kmsg.NewProduceResponseTopicPartition()
			partition.Partition, partition.ErrorCode = p.Partition, kerr.KafkaStorageError.Code
			topic.Partitions = append(topic.Partitions, partition)
		}
		response.Topics = append(response.Topics, topic)
	}
	return response, nil, true
}

// isShort reports whether the disk is almost full, and logs when that changes.
func (s *space) isShort() bool {
	free, err := s.free()
	if err != nil {
		return false // A write will tell.
	}
	short := free < spaceReserve
	if s.short.Swap(short) != short {
		if short {
			slog.Error("broker: the disk is almost full: no flows are taken until there is space again", "directory", s.dir, "free_bytes", free, "needed_bytes", spaceReserve)
		} else {
			slog.Info("broker: the disk has space again", "directory", s.dir, "free_bytes", free)
		}
	}
	return short
}
