package peer

import (
	"slices"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/wire"
)

// notingCarrier notes what it is sent.
type notingCarrier struct {
	carrier.Carrier
	rung ladder.Rung
	full bool
	sent []string
}

func (c *notingCarrier) Rung() ladder.Rung { return c.rung }

func (c *notingCarrier) Send(f carrier.Frame) bool {
	for frame := range wire.Frames(f.Bytes) {
		if frame.Type == wire.TypeDrive {
			c.sent = append(c.sent, string(frame.Body))
		}
	}
	return !c.full
}

// taken is what was sent since it was called last.
func (c *notingCarrier) taken() []string {
	sent := c.sent
	c.sent = nil
	return sent
}

// TestSecondTime: what goes twice goes on the best path at once and on the other a moment later, the newest only.
func TestSecondTime(t *testing.T) {
	p := newPaths(time.Now)
	direct, link := &notingCarrier{rung: ladder.UDP}, &notingCarrier{rung: ladder.WS}
	best, other := &leg{id: 1, carrier: direct}, &leg{id: 2, carrier: link}
	for _, g := range []*leg{best, other} {
		p.up(0, g)
		p.prove(0, g)
	}
	now := time.Second
	p.step(now)
	expect := func(what string, onDirect, onLink []string) {
		t.Helper()
		if first, second := direct.taken(), link.taken(); !slices.Equal(first, onDirect) || !slices.Equal(second, onLink) {
			t.Errorf("%s: %q went on the best path and %q on the other, want %q and %q", what, first, second, onDirect, onLink)
		}
	}
	send := func(text string, want bool) {
		t.Helper()
		if taken := p.sendTwice(now, wire.TypeDrive, []byte(text)); taken != want {
			t.Errorf("%s: taken is %v", text, taken)
		}
	}
	later := func(by, want time.Duration) {
		t.Helper()
		now += by
		if wake := p.sendSecond(now); wake != want {
			t.Errorf("the next is due at %v, want %v", wake, want)
		}
	}

	later(0, session.Never)
	send("a", true)
	expect("at once", []string{"a"}, nil)
	later(secondAfter-1, now+secondAfter)
	expect("before it is due", nil, nil)
	later(1, session.Never)
	expect("when it is due", nil, []string{"a"})
	later(time.Second, session.Never)
	expect("then", nil, nil)

	send("b", true)
	send("c", true)
	later(secondAfter, session.Never)
	expect("of two, the newer", []string{"b", "c"}, []string{"c"})

	direct.full = true
	send("d", true)
	later(secondAfter, session.Never)
	expect("the best path takes nothing: the other, at once", []string{"d", "d"}, []string{"d"})
	link.full = true
	send("e", false)
	later(secondAfter, session.Never)
	expect("none takes anything", []string{"e"}, []string{"e"})
	direct.full, link.full = false, false

	p.ladder.Doubt(now, best.id)
	p.step(now)
	send("e", true)
	later(0, session.Never)
	expect("the best path is in doubt: the copy at once", []string{"e"}, []string{"e"})

	send("f", true)
	p.down(now, best)
	p.step(now)
	later(secondAfter, session.Never)
	expect("the path of the first is over", []string{"f"}, []string{"f"})
	send("g", true)
	later(0, session.Never)
	expect("there is only one", nil, []string{"g"})
}

// TestAnOlderDrive comes from a goroutine that was overtaken: it takes the place neither of the newer one nor of its second copy.
func TestAnOlderDrive(t *testing.T) {
	direct, link := &notingCarrier{rung: ladder.UDP}, &notingCarrier{rung: ladder.WS}
	c := &Conn{paths: newPaths(time.Now), loop: newLoop()} // it does not run: what is to be sent waits for sendOrders
	for i, carrier := range []*notingCarrier{direct, link} {
		g := &leg{id: i + 1, carrier: carrier}
		c.paths.up(0, g)
		c.paths.prove(0, g)
	}
	now := time.Second
	c.paths.step(now)
	body := func(fence, seq uint64) string {
		return string(wire.AppendDrive(nil, &wire.Drive{Fence: fence, Seq: seq}))
	}
	drive := func(fence, seq uint64) { c.Drive(&wire.Drive{Fence: fence, Seq: seq}) }
	expect := func(what string, drives ...string) {
		t.Helper()
		c.sendOrders(now)
		now += secondAfter
		c.sendOrders(now)
		if first, second := direct.taken(), link.taken(); !slices.Equal(first, drives) || !slices.Equal(second, drives) {
			t.Errorf("%s: %q went on the best path and %q on the other, want %q", what, first, second, drives)
		}
	}

	drive(1, 0)
	expect("the very first", body(1, 0))
	drive(1, 5)
	drive(1, 4)
	expect("while the newer one waits", body(1, 5))
	drive(1, 6)
	c.sendOrders(now)
	drive(1, 5)
	expect("while its second copy waits", body(1, 6))
	drive(1, 6)
	expect("the same once more")
	drive(2, 1)
	expect("of another lease", body(2, 1))
	drive(1, 1)
	expect("of a device that counts its leases anew", body(1, 1))
	if replaced := c.meter.stats().Drops["replaced"]; replaced != 3 {
		t.Errorf("%d are counted as replaced", replaced)
	}
}
