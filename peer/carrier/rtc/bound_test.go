package rtc

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// slowRate is in bytes a second, and less than what is published.
const slowRate = 16_000

// slowly connects to an address over a hop that takes at once what it delivers at slowRate: what is sent, or what comes.
func slowly(t *testing.T, coming bool) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		far, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		near, inner := net.Pipe()
		t.Cleanup(func() { near.Close(); far.Close() })
		from, to := net.Conn(inner), far
		if coming {
			from, to = far, inner
		}
		go func() {
			_, _ = io.Copy(from, to)
			from.Close()
		}()
		go swallow(from, to)
		return near, nil
	}
}

// swallow moves bytes one way.
func swallow(from io.Reader, to io.WriteCloser) {
	queue := make(chan []byte, 1<<16)
	go func() {
		defer close(queue)
		for {
			buf := make([]byte, 2048)
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			queue <- buf[:n]
		}
	}()
	for packet := range queue {
		time.Sleep(time.Duration(len(packet)) * time.Second / slowRate)
		if _, err := to.Write(packet); err != nil {
			break
		}
	}
	to.Close()
	for range queue { // until the reader has seen the end
	}
}

// arrivals is what came at the far end, which answers marks.
type arrivals struct {
	mu    sync.Mutex
	ages  []time.Duration // of Live, guarded by mu
	bytes map[uint32]int  // by stream, guarded by mu
}

func (a *arrivals) take(p *Peer) func(packet []byte) {
	return func(packet []byte) {
		a.mu.Lock()
		defer a.mu.Unlock()
		for len(packet) > 0 {
			f, rest, err := wire.NextFrame(packet)
			if err != nil {
				return
			}
			packet = rest
			if probe, err := wire.ParseProbe(f.Body); f.Type == wire.TypeProbe && err == nil {
				p.Send(carrier.Frame{Control: true, Bytes: wire.AppendEcho(nil, wire.Hop{}, wire.Echo{Probe: probe})})
				continue
			}
			stream := binary.BigEndian.Uint32(f.Body[8:])
			a.bytes[stream] += len(f.Body)
			if stream == liveStream {
				a.ages = append(a.ages, time.Since(time.Unix(0, int64(binary.BigEndian.Uint64(f.Body)))))
			}
		}
	}
}

// The streams.
const (
	liveStream = 1
	events     = 2
)

// dated is a frame that says when it was made.
func dated(class wire.Class, stream uint32, size int) carrier.Frame {
	now := time.Now()
	body := binary.BigEndian.AppendUint64(nil, uint64(now.UnixNano()))
	body = append(binary.BigEndian.AppendUint32(body, stream), make([]byte, size-12)...)
	f := carrier.Frame{Bytes: wire.AppendFrame(nil, wire.TypeData, wire.Hop{}, body), Class: class, Stream: stream}
	if class == wire.Live {
		f.Deadline = now.Add(250 * time.Millisecond)
	}
	return f
}

// TestBound: whichever end's hop is slow and over TCP, no backlog builds up in it, and Events have a share beside Live.
func TestBound(t *testing.T) {
	for name, far := range map[string]bool{"own hop": false, "the other end's": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startTURN(t)
			over, straight := s.through(s.tcp), s.through(s.udp)
			over.Dial = slowly(t, far)
			var from, to *Peer
			if far {
				from, to = introduceTurned(t, straight, over)
			} else {
				from, to = introduceTurned(t, over, straight)
			}
			came := arrivals{bytes: map[uint32]int{}}
			run(t, from)
			runWith(t, to, came.take(to))
			waitReady(t, from, to)
			for begin := time.Now(); time.Since(begin) < 8*time.Second; time.Sleep(5 * time.Millisecond) {
				from.Send(dated(wire.Live, liveStream, 120))
				from.Send(dated(wire.Event, events, 500))
			}
			came.mu.Lock()
			defer came.mu.Unlock()
			settled := came.ages[len(came.ages)/3:]
			slices.Sort(settled)
			p95 := settled[len(settled)*95/100]
			share := float64(came.bytes[events]) / float64(came.bytes[liveStream]+came.bytes[events])
			t.Logf("p95 of the age %v, %d of Live and %d bytes of Events", p95, came.bytes[liveStream], came.bytes[events])
			if p95 > 400*time.Millisecond {
				t.Errorf("p95 of the age %v: there is a backlog", p95)
			}
			if share < 0.1 || share > 0.5 {
				t.Errorf("Events have %.0f %% of the way", 100*share)
			}
		})
	}
}
