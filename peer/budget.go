package peer

import "time"

// budget is how much of something is granted: burst at once, and rate a
// second beside it. It bounds what the other end of a Conn can make this one do.
type budget struct {
	rate  float64 // a second
	burst float64
	spent float64 // of burst, not paid back yet
	at    time.Duration
}

// take grants n, or does not.
func (b *budget) take(now time.Duration, n float64) bool {
	b.payBack(now)
	if b.spent+n > b.burst {
		return false
	}
	b.spent += n
	return true
}

// charge grants n in any case and says how long to wait for it.
func (b *budget) charge(now time.Duration, n float64) time.Duration {
	b.payBack(now)
	b.spent += n
	return time.Duration(max(b.spent-b.burst, 0) / b.rate * float64(time.Second))
}

func (b *budget) payBack(now time.Duration) {
	b.spent = max(b.spent-b.rate*(now-b.at).Seconds(), 0)
	b.at = now
}

// What a viewer may ask of a device.
const (
	ingressRate  = 1 << 20 // bytes a second that come on a direct path: as much as servers let through
	ingressBurst = 256 << 10

	openRate  = 5 // opens a second of all viewers; each costs a description of all streams
	openBurst = 4 // for each viewer that is served: everybody comes back at once when a server restarts

	reopenRate  = 1 // opens a second of one Conn that is known; each costs a repetition of what is in flight
	reopenBurst = 8

	pastRate  = 1 // transfers a second of one Conn, which an honest viewer asks for; each looks through all of the spool's segments
	pastBurst = 8

	offerRate  = 1 // offers a second of one Conn, of both kinds; each costs some 400 kB and 30 goroutines
	offerBurst = 6
)

// throttled slows down who delivers packets faster than a viewer may.
func throttled(receive func(packet []byte), now func() time.Duration) func(packet []byte) {
	bytes := budget{rate: ingressRate, burst: ingressBurst}
	return func(packet []byte) {
		if wait := bytes.charge(now(), float64(len(packet))); wait > 0 {
			time.Sleep(wait)
		}
		receive(packet)
	}
}
