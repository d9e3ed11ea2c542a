package rtc

import (
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// startListener listens on loopback until the test ends.
func startListener(t *testing.T) *Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	listener, err := NewListener(l, nil)
	check(t, err)
	t.Cleanup(func() { check(t, listener.Close()) })
	return listener
}

// told are candidates in the order in which an end told them.
type told struct {
	mu   sync.Mutex
	list []string
}

func (c *told) add(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, text)
}

func (c *told) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.list)
}

// meet connects a viewer and a device that listens. It returns what the device told behind its answer.
func meet(t *testing.T, ofViewer, ofDevice Config) (viewer, device *Peer, answer string, behind *told) {
	t.Helper()
	behind = &told{}
	viewer, err := NewOfferer(ofViewer, Events{Candidate: func(text, _ string) {
		if isTCP(text) {
			t.Errorf("the viewer told %q: it listens nowhere", text)
		}
	}})
	check(t, err)
	device, err = NewAnswerer(ofDevice, Events{Candidate: func(text, mid string) {
		behind.add(text)
		if err := viewer.AddCandidate(text, mid); err != nil {
			t.Logf("%q: %v", text, err)
		}
	}})
	check(t, err)
	offer, err := viewer.Offer()
	check(t, err)
	answer, err = device.Answer(offer)
	check(t, err)
	check(t, viewer.SetAnswer(answer))
	return viewer, device, answer, behind
}

// listening and dialling are the two ends' configurations.
func listening(t *testing.T) Config {
	cfg := onLoopback
	cfg.Listener = startListener(t)
	return cfg
}

func dialling(noUDP bool) Config {
	cfg := onLoopback
	cfg.DialTCP, cfg.NoUDP = true, noUDP
	return cfg
}

// Where UDP is left out, or does not get through, it is the rung tcp; where both do, udp.
func TestRungOverTCP(t *testing.T) {
	for want, noUDP := range map[ladder.Rung]bool{ladder.TCP: true, ladder.UDP: false} {
		t.Run(want.String(), func(t *testing.T) {
			viewer, device, answer, behind := meet(t, dialling(noUDP), listening(t))
			run(t, viewer)
			run(t, device)
			waitReady(t, viewer, device)
			if viewer.Rung() != want || device.Rung() != want {
				t.Errorf("rungs %v and %v (%s), want %v", viewer.Rung(), device.Rung(), viewer.Pair(), want)
			}
			if strings.Contains(answer, " tcp ") || strings.Contains(answer, "end-of-candidates") {
				t.Errorf("the answer tells of TCP, or that nothing follows:\n%s", answer)
			}
			await(t, func() bool { all := behind.all(); return len(all) > 0 && all[len(all)-1] == "" })
			if all := behind.all(); len(all) < 2 || !strings.Contains(all[0], "tcptype passive") {
				t.Errorf("behind the answer came %q", all)
			}
		})
	}
}

// A viewer that does not dial takes no candidate over TCP, and says what is missing.
func TestNobodyDialsUnasked(t *testing.T) {
	for dials, stuck := range map[bool]string{false: "udp-blocked", true: "tcp-blocked"} {
		cfg, asked := listening(t), onLoopback
		asked.DialTCP = dials
		_, port, err := net.SplitHostPort(cfg.Listener.Addr().String())
		check(t, err)
		viewer, device, _, _ := meet(t, asked, cfg)
		if err := viewer.AddCandidate("1 1 tcp 1 127.0.0.1 "+port+" typ host tcptype passive", ""); (err == nil) != dials {
			t.Errorf("dials: %v; it was taken: %v", dials, err == nil)
		}
		if f, ok := viewer.Stuck().(*carrier.Failure); !ok || f.Name != stuck {
			t.Errorf("dials: %v; stuck: %v", dials, viewer.Stuck())
		}
		run(t, viewer)
		run(t, device)
	}
}

func await(t *testing.T, true func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !true(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come")
		}
	}
}
