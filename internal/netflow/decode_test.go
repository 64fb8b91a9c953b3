package netflow
import "time"
var received = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
