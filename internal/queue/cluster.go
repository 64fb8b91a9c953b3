package queue

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/initproducerid"
)

const (
	dialTimeout = 3 * time.Second
	metadataTTL = 2 * time.Second

	// rediscoverInterval keeps partitions that fail together from asking one by one.
	rediscoverInterval = 100 * time.Millisecond
)

// cluster is the connection to the brokers, and knows which one leads a partition.
type cluster struct {
	brokers   []string
	client    *kafka.Client
	transport *kafka.Transport

	mu           sync.Mutex
	rediscovered time.Time
}

func newCluster(cfg Config) (*cluster, error) {
	t := &kafka.Transport{
		ClientID:       "netmeta",
		DialTimeout:    dialTimeout,
		MetadataTTL:    metadataTTL,
		MetadataTopics: []string{cfg.Topic},
	}
	if err := cfg.Security.apply(t); err != nil {
		return nil, err
	}
	return &cluster{
		brokers:   cfg.Brokers,
		transport: t,
		client:    &kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Timeout: cfg.Timeout, Transport: t},
	}, nil
}

func (c *cluster) close() { c.transport.CloseIdleConnections() }

// rediscover has the next request find the brokers and leaders anew. kafka-go has
// no call for it and would use what it knows for up to metadataTTL, or for ever
// while no broker answers; but it forgets all with its connections. Requests under
// way end undisturbed.
func (c *cluster) rediscover() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.rediscovered) < rediscoverInterval {
		return
	}
	c.rediscovered = time.Now()
	c.transport.CloseIdleConnections()
}

// topology is what a producer has to know of a topic.
type topology struct {
	cluster    uint64 // as clusterNumber has it
	partitions int
}

// describe returns what Kafka says about topic. It is an error if no broker answers,
// or if there is no such topic.
func (c *cluster) describe(ctx context.Context, topic string) (topology, error) {
	// Metadata alone may come from kafka-go's memory, whether or not a broker is there.
	if _, err := c.client.ApiVersions(ctx, &kafka.ApiVersionsRequest{}); err != nil {
		return topology{}, fmt.Errorf("ask Kafka at %s: %w", strings.Join(c.brokers, ","), err)
	}
	res, err := c.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err == nil {
		err = res.Topics[0].Error
	}
	if err != nil {
		return topology{}, fmt.Errorf("find topic %q at %s: %w", topic, strings.Join(c.brokers, ","), err)
	}
	return topology{clusterNumber(res.ClusterID), len(res.Topics[0].Partitions)}, nil
}

// initProducerID is kafka-go's request less its method Transaction: that has kafka-go
// ask for the coordinator of a transaction first, for which brokers create a topic
// of 50 partitions. A producer without transactions may ask any broker.
type initProducerID initproducerid.Request

func (*initProducerID) ApiKey() protocol.ApiKey { return protocol.InitProducerId }

// newSession gets a producer id.
func (c *cluster) newSession(ctx context.Context) (session, error) {
	ctx, cancel := context.WithTimeout(ctx, c.client.Timeout)
	defer cancel()
	answer, err := c.transport.RoundTrip(ctx, c.client.Addr, &initProducerID{
		ProducerID:           none,
		ProducerEpoch:        none,
		TransactionTimeoutMs: 60_000, // there are no transactions, but zero is refused
	})
	if err != nil {
		return session{}, fmt.Errorf("at %s: %w", strings.Join(c.brokers, ","), err)
	}
	res := answer.(*initproducerid.Response)
	if res.ErrorCode != 0 {
		return session{}, fmt.Errorf("at %s: %w", strings.Join(c.brokers, ","), kafka.Error(res.ErrorCode))
	}
	return session{id: res.ProducerID, epoch: res.ProducerEpoch}, nil
}

// produce sends a record batch, preceded by its size, under an identity to the leader
// of its partition and waits for all in-sync replicas to have it.
func (c *cluster) produce(ctx context.Context, topic string, as identity, batch []byte) error {
	records := io.MultiReader(bytes.NewReader(as.stamp(batch)), bytes.NewReader(batch[prefixBytes:]))
	res, err := c.client.RawProduce(ctx, &kafka.RawProduceRequest{
		Topic:        topic,
		Partition:    as.partition,
		RequiredAcks: kafka.RequireAll,
		RawRecords:   protocol.RawRecordSet{Reader: records},
	})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		return fmt.Errorf("produce to partition %d of %q: %w", as.partition, topic, err)
	}
	return nil
}
