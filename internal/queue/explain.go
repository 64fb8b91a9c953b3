package queue

import (
	"crypto/tls"
	"errors"
	"io"
	"net"

	"github.com/segmentio/kafka-go"
)

// explain says what an error means for the flows and what a person should look at.
// Its answers are few, so that they can be told apart by comparing them.
func explain(err error) (what, check string) {
	var failed *net.OpError
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.Is(err, kafka.UnknownTopicOrPartition):
		return "Kafka does not have the topic", "create the topic, or correct its name"
	case errors.Is(err, kafka.SASLAuthenticationFailed):
		return "Kafka does not let us in", "user and password"
	case errors.Is(err, kafka.TopicAuthorizationFailed), errors.Is(err, kafka.ClusterAuthorizationFailed):
		return "Kafka does not let us write", "the user's access rights (write to the topic, idempotent write)"
	case errors.Is(err, kafka.UnsupportedSASLMechanism), errors.Is(err, kafka.IllegalSASLState):
		return "Kafka does not know this way to give a password", "the SASL mechanism; is it the port with SASL?"
	case errors.As(err, &untrusted):
		return "Kafka's certificate is not to be trusted", "the file of authorities (CA), and that the brokers' names are those in their certificates"
	case errors.As(err, &failed) && failed.Op == "remote error": // a TLS alert
		return "Kafka does not accept our certificate", "the certificate and key for this client, and who the brokers trust"
	case errors.Is(err, kafka.NotEnoughReplicas), errors.Is(err, kafka.NotEnoughReplicasAfterAppend):
		return "Kafka has too few replicas in sync", "are all brokers running? min.insync.replicas of the topic"
	case errors.As(err, &failed) && failed.Op == "dial":
		return "Kafka cannot be reached", "is Kafka running, and do these brokers' listeners and advertised.listeners lead to it from here?"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "Kafka hangs up", "does this port want TLS, or does it not? does it want a password (SASL)? is Kafka just being stopped?"
	case judge(err).reason == "leader":
		return "Kafka has no leader for a partition", "are all brokers running?"
	default:
		return "Kafka does not take flows", "the brokers' logs"
	}
}
