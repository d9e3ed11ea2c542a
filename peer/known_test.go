package peer

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/wire"
)

// TestARefusalIsFinalForStrangers: a device that was never let in ends with the
// reason. One that was, at this start or an earlier one, asks again, rarely, and
// is back when the server knows its token again.
func TestARefusalIsFinalForStrangers(t *testing.T) {
	const refused = 5 * time.Minute
	unknown := &carrier.Refused{Code: wire.CodeByName("unauthorized"), Reason: "the token is unknown"}
	for name, c := range map[string]struct {
		known bool // from an earlier start
		in    bool // at this one, before it is refused
		stays bool
	}{
		"never let in":             {},
		"let in before":            {in: true, stays: true},
		"let in at earlier starts": {known: true, stays: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				relay := peertest.NewRelay(oneWay)
				defer relay.Stop()
				h, err := NewHost(HostConfig{Endpoint: Endpoint{URL: "http://relay"}, Key: deviceKey, Name: "bench", Known: c.known})
				if err != nil {
					t.Fatal(err)
				}
				var lets atomic.Bool
				var asked atomic.Int32
				var medium atomic.Pointer[peertest.Medium]
				lets.Store(c.in)
				h.link.dial = func(_ context.Context, _ *link, open []byte) (carrier.Carrier, error) {
					asked.Add(1)
					if !lets.Load() {
						return nil, unknown
					}
					c, m, err := relay.Dial(true, open)
					medium.Store(m)
					return c, err
				}
				h.link.lift.dial = nil
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ended := make(chan error, 1)
				go func() { ended <- h.Run(ctx) }()
				time.Sleep(time.Second)
				lets.Store(false)
				if m := medium.Load(); m != nil {
					m.Break(errors.New("cut"))
				}
				time.Sleep(refused)
				if !c.stays {
					var why *RefusedError
					if err := <-ended; !errors.As(err, &why) || why.Code != "unauthorized" || asked.Load() != 1 {
						t.Errorf("it asked %d times: %v", asked.Load(), err)
					}
					return
				}
				if most := int32(refused/retrySlow) + 2; asked.Load() > most {
					t.Errorf("it asked %d times in %v, want at most %d", asked.Load(), refused, most)
				}
				lets.Store(true)
				time.Sleep(retrySlow + time.Second)
				linked := false
				h.loop.ask(ctx, func() { linked = h.welcomed })
				if !linked {
					t.Error("it did not come back")
				}
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
