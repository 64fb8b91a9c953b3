package kafkatest

import (
	"os"
	"testing"
	"time"
)

// Outage is for how long Kafka is to be away: NETMETA_OUTAGE, such as 5m, or usual where
// that is not set.
func Outage(t testing.TB, usual time.Duration) time.Duration {
	t.Helper()
	wanted := os.Getenv("NETMETA_OUTAGE")
	if wanted == "" {
		return usual
	}
	outage, err := time.ParseDuration(wanted)
	if err != nil || outage <= 0 {
		t.Fatalf("NETMETA_OUTAGE: %q is no length of time such as 5m", wanted)
	}
	return outage
}
