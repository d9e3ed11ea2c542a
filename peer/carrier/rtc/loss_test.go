package rtc

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/transport/v4/vnet"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// vnetMu guards vnet's counter of MAC addresses, which is global.
var vnetMu sync.Mutex

// lossy is a network on which a filter decides what arrives.
func lossy(t *testing.T, passes func(size int) bool) (viewer, device *Peer) {
	t.Helper()
	viewer, device = apart(t, 0, func(datagram []byte) bool { return passes(len(datagram)) })
	introduce(t, viewer, device)
	return viewer, device
}

// apart are two ends that were not introduced, on a network that takes its time and on which a filter decides what arrives.
func apart(t *testing.T, oneWay time.Duration, passes func(datagram []byte) bool) (viewer, device *Peer) {
	t.Helper()
	vnetMu.Lock()
	defer vnetMu.Unlock()
	router, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.0.0.0/24", MinDelay: oneWay, LoggerFactory: logFactory{Config{}.orDefault().Log}})
	check(t, err)
	router.AddChunkFilter(func(c vnet.Chunk) bool { return passes(c.UserData()) })
	ends := [2]*Peer{}
	for i, address := range []string{"10.0.0.1", "10.0.0.2"} {
		net, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{address}})
		check(t, err)
		check(t, router.AddNet(net))
		ends[i], err = newPeer(Config{NoMDNS: true, net: net}, Events{})
		check(t, err)
	}
	check(t, router.Start())
	t.Cleanup(func() { router.Stop() })
	return ends[0], ends[1]
}

// firstFrame sends a large and then a small frame, loses the large one once,
// and returns the size of what arrives first.
func firstFrame(t *testing.T, large, small carrier.Frame) int {
	const lost = 1000
	var armed atomic.Bool
	viewer, device := lossy(t, func(size int) bool { return size < lost || !armed.CompareAndSwap(true, false) })
	run(t, viewer)
	arrived := make(chan int, 100)
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); device.Run(ctx, func(p []byte) { arrived <- len(p) }) }()
	t.Cleanup(func() { cancel(); <-over })
	waitReady(t, viewer, device)
	armed.Store(true)
	for i, f := range []carrier.Frame{large, small} {
		f.Bytes = wire.AppendFrame(nil, wire.TypeData, wire.Hop{}, make([]byte, lost-500*i))
		viewer.Send(f)
		time.Sleep(20 * time.Millisecond) // each a packet of its own
	}
	select {
	case size := <-arrived:
		return size
	case <-time.After(10 * time.Second):
		t.Fatal("nothing arrived")
		return 0
	}
}

// TestLossHoldsUpOnlyWhatIsOrdered sees the effect of kind.commit: where a
// packet is lost, a fresh sample must not wait for its repetition.
func TestLossHoldsUpOnlyWhatIsOrdered(t *testing.T) {
	cases := []struct {
		name  string
		frame carrier.Frame
		waits bool
	}{
		{"live", carrier.Frame{Class: wire.Live, Stream: 1}, false},
		{"control", carrier.Frame{Control: true}, false},
		{"event", carrier.Frame{Class: wire.Event}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := firstFrame(t, c.frame, c.frame); (got > 1000) != c.waits {
				t.Errorf("the first to arrive has %d bytes", got)
			}
		})
	}
}

// TestTwiceDoesNotWait: a call whose packet is lost on the reliable channel has come on the other one, before what followed it.
func TestTwiceDoesNotWait(t *testing.T) {
	t.Parallel()
	control := carrier.Frame{Control: true}
	if got := firstFrame(t, carrier.Frame{Class: wire.Call, Twice: true}, control); got < 1000 {
		t.Errorf("the call comes after what followed it")
	}
	if got := firstFrame(t, carrier.Frame{Class: wire.Call}, control); got > 1000 {
		t.Errorf("it would have come in time by itself")
	}
}

func TestBlockedNetworkSaysSo(t *testing.T) {
	t.Parallel()
	viewer, device := lossy(t, func(int) bool { return false })
	for _, done := range []<-chan error{run(t, viewer), run(t, device)} {
		select {
		case err := <-done:
			const want = "no packet came through to any of the other end's 1 addresses: a firewall or NAT between the two ends blocks UDP"
			if err.Error() != want {
				t.Errorf("got %q", err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("nobody noticed")
		}
	}
}

func TestBlackoutSendsFreshSamplesFirst(t *testing.T) {
	t.Parallel()
	var dark atomic.Bool
	viewer, device := lossy(t, func(int) bool { return !dark.Load() })
	run(t, viewer)
	type sample struct {
		number int
		at     time.Time
	}
	arrived := make(chan sample, 10_000)
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		device.Run(ctx, func(p []byte) {
			for len(p) > 0 {
				var f wire.Frame
				f, p, _ = wire.NextFrame(p)
				arrived <- sample{int(f.Body[0])<<8 | int(f.Body[1]), time.Now()}
			}
		})
	}()
	t.Cleanup(func() { cancel(); <-over })
	waitReady(t, viewer, device)
	// A second of light, three of darkness, a second of light, in batches as an agent makes them.
	const period, size, good = 30 * time.Millisecond, 330, 100 * time.Millisecond
	const darkFrom, lightFrom, end = 33, 133, 166
	var made [end]time.Time
	for n := range end {
		switch n {
		case darkFrom:
			dark.Store(true)
		case lightFrom:
			dark.Store(false)
		}
		body := make([]byte, size)
		body[0], body[1] = byte(n>>8), byte(n)
		made[n] = time.Now()
		viewer.Send(carrier.Frame{
			Bytes: wire.AppendFrame(nil, wire.TypeData, wire.Hop{}, body), Class: wire.Live, Stream: 1,
			Deadline: made[n].Add(good),
		})
		time.Sleep(period)
	}
	time.Sleep(2 * time.Second) // SCTP would repeat what it sent into the dark
	fresh, stale := time.Duration(-1), 0
	for range len(arrived) {
		s := <-arrived
		switch {
		case s.number >= lightFrom && fresh < 0:
			fresh = s.at.Sub(made[lightFrom])
		case s.number >= darkFrom && s.number < lightFrom && s.at.Sub(made[s.number]) > good:
			stale++
		}
	}
	t.Logf("the first fresh sample came %v after the blackout, and %d stale ones", fresh, stale)
	if fresh < 0 || fresh > 500*time.Millisecond || stale > (lightFrom-darkFrom)/5 {
		t.Errorf("fresh after %v, %d stale; drops %v", fresh, stale, viewer.Stats().Drops)
	}
}
