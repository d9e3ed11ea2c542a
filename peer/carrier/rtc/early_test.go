package rtc

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
)

// TestEarly: a pair is taken once, when a check comes on it after it was found to work, from who does so as well, and does not nominate.
func TestEarly(t *testing.T) {
	host, err := ice.NewCandidateHost(&ice.CandidateHostConfig{Network: "udp", Address: "10.0.0.1", Port: 1, Component: 1})
	check(t, err)
	tcp, err := ice.NewCandidateHost(&ice.CandidateHostConfig{Network: "tcp", Address: "10.0.0.1", Port: 1, Component: 1, TCPType: ice.TCPTypePassive})
	check(t, err)
	shown, err := ice.NewCandidatePeerReflexive(&ice.CandidatePeerReflexiveConfig{Network: "udp", Address: "10.0.0.2", Port: 1, Component: 1})
	check(t, err)
	seen, err := ice.NewCandidateServerReflexive(&ice.CandidateServerReflexiveConfig{Network: "udp", Address: "10.0.0.3", Port: 1, Component: 1})
	check(t, err)
	plain := stun.MustBuild(stun.BindingRequest)
	nominating := stun.MustBuild(stun.BindingRequest, ice.UseCandidate())
	works, unknown := &ice.CandidatePair{}, &ice.CandidatePair{}
	works.UpdateRoundTripTime(time.Millisecond)
	for _, c := range []struct {
		name          string
		may           bool
		check         *stun.Message
		local, remote ice.Candidate
		pair          *ice.CandidatePair
		want          bool
	}{
		{"it works", true, plain, host, host, works, true},
		{"an address that shows itself", true, plain, host, shown, works, false},
		{"the other end waits to be told", false, plain, host, host, works, false},
		{"not known to work", true, plain, host, host, unknown, false},
		{"an address that a server saw", true, plain, host, seen, works, false},
		{"from an address that a server saw", true, plain, seen, host, works, false},
		{"over TCP", true, plain, tcp, tcp, works, false},
		{"nominated", true, nominating, host, host, works, false},
	} {
		e, device := early{}, early{answers: true}
		e.may.Store(c.may)
		device.may.Store(true)
		if got := e.take(c.check, c.local, c.remote, c.pair); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		if got := device.take(c.check, c.local, c.remote, c.pair); c.may && got != (c.want || c.remote == shown) {
			t.Errorf("%s, at the device: %v", c.name, got)
		}
		over := c.want || c.check == nominating
		if again := e.take(plain, host, host, works); again != (c.may && !over) {
			t.Errorf("%s: the next check has a pair taken: %v", c.name, again)
		}
	}
}

// TestEarlySavesARoundTrip: DTLS begins without waiting for a nomination; and where the other end waits to be told, it is.
func TestEarlySavesARoundTrip(t *testing.T) {
	t.Parallel()
	const oneWay = 50 * time.Millisecond
	open := func(change func(answer string) string) time.Duration {
		viewer, device := apart(t, oneWay, func([]byte) bool { return true })
		run(t, viewer)
		run(t, device)
		offer, err := viewer.Offer()
		check(t, err)
		answer, err := device.Answer(offer)
		check(t, err)
		time.Sleep(oneWay + 10*time.Millisecond) // the answer takes as long as the device's checks
		began := time.Now()
		check(t, viewer.SetAnswer(change(answer)))
		waitReady(t, device)
		return time.Since(began)
	}
	told := time.Hour
	for range 3 {
		told = min(told, open(func(answer string) string { return strings.Replace(answer, attrEarly, "", 1) }))
	}
	const tries = 10 // checks may cross one another on a busy machine: then it is told
	var early []time.Duration
	for range tries {
		took := open(func(answer string) string { return answer })
		if early = append(early, took); took <= told-oneWay {
			return
		}
	}
	t.Errorf("open at the device after %v at the best, and after %v where it is told", slices.Min(early), told)
}

// TestEarlyNeedsNoNomination: the one that pion's viewer sends may be lost.
func TestEarlyNeedsNoNomination(t *testing.T) {
	t.Parallel()
	viewer, device := apart(t, time.Millisecond, func(datagram []byte) bool {
		m := &stun.Message{Raw: append([]byte(nil), datagram...)}
		return !stun.IsMessage(datagram) || m.Decode() != nil || !m.Contains(stun.AttrUseCandidate)
	})
	introduce(t, viewer, device)
	run(t, viewer)
	run(t, device)
	waitReady(t, viewer, device)
}
