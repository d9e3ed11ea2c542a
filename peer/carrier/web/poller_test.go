package web

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// TestAbandoned: a link that nobody asks for is over.
func TestAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(Config{})
		began := time.Now()
		over := make(chan error, 1)
		go func() { over <- p.c.Run(t.Context(), nil) }()
		for n := range uint64(5) { // asked for again and again, it goes on
			time.Sleep(abandonTime - time.Second)
			seat := p.sit(n+1, minPacket)
			time.Sleep(holdTime)
			if _, end := p.try(seat, minPacket, true); end != answered {
				t.Fatalf("request %d came to %v", n+1, end)
			}
			p.written(seat, true)
		}
		asked := time.Since(began)
		var failure *carrier.Failure
		if err := <-over; !errors.As(err, &failure) || failure.Name != "cut" || time.Since(began) != asked+abandonTime {
			t.Errorf("after %v more: %v", time.Since(began)-asked, err)
		}
	})
}

// TestGoodbyeIsKept: it can be asked for again, too, as long as it is waited for.
func TestGoodbyeIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(Config{})
		over := make(chan error, 1)
		go func() { over <- p.c.Run(t.Context(), nil) }()
		p.written(p.first(t))
		p.c.life.Stop(&carrier.CloseError{Reason: "over"})
		seat := p.sit(2, minPacket)
		goodbye, _ := p.try(seat, minPacket, false)
		if _, bye := carrier.SplitEnd(goodbye); bye == nil {
			t.Fatalf("no goodbye: %q", goodbye)
		}
		p.written(seat, false) // it was cut
		seat = p.sit(2, minPacket)
		if again, _ := p.try(seat, minPacket, false); string(again) != string(goodbye) {
			t.Errorf("then %q", again)
		}
		p.written(seat, true)
		<-over
	})
}

func (p *poller) first(t *testing.T) (seat chan struct{}, well bool) {
	seat = p.sit(1, minPacket)
	if _, end := p.try(seat, minPacket, true); end != answered {
		t.Fatalf("the first request came to %v", end)
	}
	return seat, true
}
