package live

import (
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// TestSlowStreamsAndLongPacketsAreMended: where no packet follows in time, or none with room for it, a parity leaves by itself; and
// as long as nothing is lost, none does.
func TestSlowStreamsAndLongPacketsAreMended(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name    string
		link    link
		period  time.Duration
		size    int     // of a frame
		least   float64 // share in time
		packets float64 // for each frame, at most
	}{
		{"10 Hz, a way of 50 ms", link{delay: 50 * ms, loss: 0.05}, 100 * ms, 50, 0.998, 2.2},
		{"5 Hz, a way of 50 ms", link{delay: 50 * ms, loss: 0.05}, 200 * ms, 50, 0.998, 3.05},
		{"1 Hz, a way of 50 ms", link{delay: 50 * ms, loss: 0.05}, 1000 * ms, 50, 0.998, 3.2},
		{"20 Hz, a way of 150 ms", link{delay: 150 * ms, loss: 0.1}, 50 * ms, 120, 0.998, 2.05},
		{"10 Hz, a way of 150 ms", link{delay: 150 * ms, loss: 0.1}, 100 * ms, 50, 0.997, 3.05},
		{"1 Hz, a way of 150 ms", link{delay: 150 * ms, loss: 0.1}, 1000 * ms, 50, 0.994, 3.4},
		{"25 Hz, a way of 200 ms", link{delay: 200 * ms, loss: 0.05}, 40 * ms, 120, 0.997, 3.05},
		{"1000 bytes, repair in time", link{delay: 50 * ms, loss: 0.05}, 33 * ms, 1020, 0.999, 1.15},
		{"1000 bytes, repair too late", link{delay: 150 * ms, loss: 0.1}, 33 * ms, 1020, 0.996, 2.05},
		{"3000 bytes, repair too late", link{delay: 150 * ms, loss: 0.1}, 100 * ms, 3020, 0.996, 3.05},
		{"1 Hz, little loss", link{delay: 100 * ms, loss: 0.02}, 1000 * ms, 50, 0.997, 2.6},
		{"10 Hz, no loss", link{delay: 150 * ms}, 100 * ms, 50, 1, 1.01},
		{"1 Hz, no loss", link{delay: 50 * ms}, 1000 * ms, 50, 1, 1.1},
		{"a way as long as the deadline", link{delay: 250 * ms, loss: 0.1}, 100 * ms, 50, 0, 1.1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1, c.link)
			w.period = c.period
			w.run(max(5*time.Minute, 1200*c.period), c.size)
			within, packets := w.within(time.Minute, w.now-time.Second), float64(w.packets)/float64(w.next)
			t.Logf("%.4f in time, %.2f packets a frame; %v", within, packets, w)
			if within < c.least || packets > c.packets {
				t.Errorf("want at least %.4f with at most %.2f packets", c.least, c.packets)
			}
		})
	}
}

// TestEachOfAFewHasItsParities: three streams speak one after the other, once a second. The one in the middle is neither the last nor
// the oldest for long.
func TestEachOfAFewHasItsParities(t *testing.T) {
	const ms = time.Millisecond
	w := newWorld(t, 1, link{delay: 150 * ms, loss: 0.1})
	w.period = time.Hour
	w.run(tick, 50) // makes one at zero
	for range 600 {
		for range 3 {
			w.make(50)
			w.run(5*ms, 50)
		}
		w.run(985*ms, 50)
	}
	if within := w.within(time.Minute, w.now-time.Second); within < 0.994 {
		t.Errorf("%.4f in time", within)
	}
}

// TestAParityThatIsLateIsForgone: who was not called in time sends none, and asks to be called no more.
func TestAParityThatIsLateIsForgone(t *testing.T) {
	const ms = time.Millisecond
	o := NewOut()
	now := ms
	for ; !o.redundant() || o.path.spacing < 80*ms; now += 100 * ms {
		o.Pack(now, []Frame{{Bytes: make([]byte, 50), Key: 1, Until: now + 250*ms}})
		if o.number > 2 && o.number%10 == 0 {
			o.Receipt(now+150*ms, wire.Receipt{Newest: o.number, Held: 0, Runs: []wire.Run{{Came: 1, Missed: 1}, {Came: 1}}})
			continue
		}
		if o.number > 1000 {
			t.Fatal("a loss of one in ten is worth no parities")
		}
	}
	due := o.parityAt()
	if due == Never || due > now+100*ms {
		t.Fatalf("the parity of what left before %v is due at %v", now, due)
	}
	sent := o.Stats().Parities
	if _, is := o.Next(now + 400*ms); is && o.Stats().Parities > sent {
		t.Error("a parity left that mends nothing in time")
	}
	if at := o.parityAt(); at != Never {
		t.Errorf("it is still wanted, at %v", at)
	}
}

// TestAParityThatWasNotTakenIsDueAgain: the path did not take the packet that carried it.
func TestAParityThatWasNotTakenIsDueAgain(t *testing.T) {
	w := newWorld(t, 1, link{delay: 150 * time.Millisecond, loss: 0.1})
	w.period = 100 * time.Millisecond
	w.run(time.Minute, 50)
	for w.out.parityAt() > w.now {
		if w.run(tick, 50); w.now > 2*time.Minute {
			t.Fatal("no parity leaves by itself")
		}
	}
	due := w.out.parityAt()
	if _, is := w.out.Next(w.now); !is {
		t.Fatal("it is due, and does not leave")
	}
	w.out.Unsent()
	if at := w.out.parityAt(); at != due {
		t.Errorf("it was due at %v, and is at %v when the path has not taken it", due, at)
	}
}
