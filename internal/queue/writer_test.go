package queue

import "testing"

func TestWhatIsAppendedWhileHeldIsDeliveredLikeTheRest(t *testing.T) {
	k := fakeKafka(t, 1)
	p := open(t, Config{Brokers: k.ListenAddrs()})
	w := p.NewWriter()
	w.Hold()
	flows(w, 1, 5000) // more than a message
	w.Release()
	flows(w, 5001, 5100)
	w.Hold()
	flows(w, 5101, 5200)
	w.Release()
	closeAll(t, p)
	wantExactly(t, readBack(t, k.ListenAddrs()), 5200)
}
