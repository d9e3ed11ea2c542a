package main

import (
	"container/heap"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxMTU    = 65535
	readBatch = 32 // packets read before due ones are looked at again
)

// Link carries packets one way, from one TUN device to another. A single
// thread (Run) owns all of it but the atomics.
type Link struct {
	in, out int // TUN file descriptors, non-blocking
	wake    int // eventfd: conditions changed or stop asked for
	cond    atomic.Pointer[Conditions]
	stopped atomic.Bool
	shared  atomic.Pointer[Stats] // copy for readers, made when asked for
	want    atomic.Bool

	mtu      int
	realtime bool
	start    time.Time
	rng      *rand.Rand
	stats    Stats
	flight   packetHeap
	free     []*packet
	seq      uint64
	bad      bool // state of the burst model
	fade     fader
	backlog  float64       // bytes waiting for the rate limit ...
	drained  time.Duration // ... at this time
	floor    time.Duration // due time of the newest packet that kept its order
}

func newLink(in, out, mtu int, realtime bool, seed, stream uint64) (*Link, error) {
	wake, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	l := &Link{in: in, out: out, wake: wake, mtu: mtu, realtime: realtime, start: time.Now(), rng: rand.New(rand.NewPCG(seed, stream))}
	l.fade.rng = rand.New(rand.NewPCG(seed, 0)) // both directions fade together
	l.cond.Store(&Conditions{})
	return l, nil
}

// Set replaces the conditions from the next packet on.
func (l *Link) Set(c Conditions) { l.cond.Store(&c); l.kick() }

// Conditions returns the conditions in force.
func (l *Link) Conditions() Conditions { return *l.cond.Load() }

// Stop makes Run return.
func (l *Link) Stop() { l.stopped.Store(true); l.kick() }

// Stats returns the counters as they are now. Run must be running or over.
func (l *Link) Stats() Stats {
	l.want.Store(true)
	l.kick()
	for i := 0; i < 1000 && l.want.Load(); i++ {
		time.Sleep(time.Millisecond)
	}
	return *l.shared.Load()
}

func (l *Link) kick() {
	one := [8]byte{1}
	_, _ = unix.Write(l.wake, one[:]) // a full eventfd wakes just as well
}

// Run moves packets until Stop. It takes over its thread, so that waits have
// the kernel's precision and not the millisecond steps of Go's timers.
func (l *Link) Run() error {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	rr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}
	if !l.realtime || unix.SchedSetAttr(0, &rr, 0) != nil {
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), -15)
	}
	defer l.publish()
	fds := []unix.PollFd{{Fd: int32(l.in), Events: unix.POLLIN}, {Fd: int32(l.wake), Events: unix.POLLIN}}
	scratch := make([]byte, 8)
	for !l.stopped.Load() {
		var timeout *unix.Timespec
		if len(l.flight) > 0 {
			ts := unix.NsecToTimespec(max(0, int64(l.flight[0].due-l.now())))
			timeout = &ts
		}
		fds[0].Revents, fds[1].Revents = 0, 0
		if _, err := unix.Ppoll(fds, timeout, nil); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("ppoll: %w", err)
		}
		if fds[1].Revents != 0 {
			_, _ = unix.Read(l.wake, scratch)
			if l.want.Load() {
				l.publish()
			}
		}
		if fds[0].Revents != 0 {
			if err := l.receive(); err != nil {
				return err
			}
		}
		l.deliver()
	}
	return nil
}

func (l *Link) now() time.Duration { return time.Since(l.start) }

func (l *Link) publish() {
	s := l.stats
	l.shared.Store(&s)
	l.want.Store(false)
}

func (l *Link) receive() error {
	for range readBatch {
		p := l.alloc()
		n, err := unix.Read(l.in, p.buf[:cap(p.buf)])
		if err != nil {
			l.release(p)
			if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
				return nil
			}
			return fmt.Errorf("read TUN: %w", err)
		}
		p.buf = p.buf[:n]
		l.accept(p, l.cond.Load())
	}
	return nil
}

// accept decides the fate of a packet: dropped, or in flight until it is due.
func (l *Link) accept(p *packet, c *Conditions) {
	now, size := l.now(), len(p.buf)
	proto := ipProtocol(p.buf)
	l.count(proto, size)

	lost := (*uint64)(nil)
	switch queued := l.drain(now, c); {
	case c.Down:
		lost = &l.stats.LostDown
	case c.BlockUDP && proto == unix.IPPROTO_UDP, c.BlockTCP && proto == unix.IPPROTO_TCP:
		lost = &l.stats.LostBlocked
	case c.Rate > 0 && queued+float64(size) > float64(c.Queue):
		lost = &l.stats.LostQueue
	default:
		// What is lost on the path has still used the link's capacity.
		if c.Rate > 0 {
			l.backlog += float64(size)
			l.stats.MaxBacklog = max(l.stats.MaxBacklog, uint64(l.backlog))
		}
		if l.chance(l.fade.loss(now, c.Fade)) {
			lost = &l.stats.LostFade
		} else if l.burstLoss(c.Burst) {
			lost = &l.stats.LostBurst
		} else if l.chance(c.Loss) {
			lost = &l.stats.LostRandom
		}
	}
	if lost != nil {
		*lost++
		l.release(p)
		return
	}

	due := now + c.Delay
	if c.Rate > 0 {
		due += time.Duration(l.backlog * 8 / c.Rate * float64(time.Second))
	}
	if c.Jitter > 0 {
		due += time.Duration((l.rng.Float64()*2 - 1) * float64(c.Jitter))
	}
	if l.chance(c.Reorder) {
		due += c.ReorderBy // and the floor stays, so that others overtake it
		l.stats.Reordered++
	} else {
		due = max(due, l.floor)
		l.floor = due
	}
	if l.chance(c.Duplicate) {
		twin := l.alloc()
		twin.buf = append(twin.buf[:0], p.buf...)
		l.stats.Duplicated++
		l.launch(twin, due)
	}
	l.launch(p, due)
}

// drain lets the rate limit work off its backlog up to now and returns the rest.
func (l *Link) drain(now time.Duration, c *Conditions) float64 {
	if c.Rate > 0 {
		l.backlog = max(0, l.backlog-(now-l.drained).Seconds()*c.Rate/8)
	} else {
		l.backlog = 0
	}
	l.drained = now
	return l.backlog
}

func (l *Link) launch(p *packet, due time.Duration) {
	l.seq++
	p.due, p.seq = due, l.seq
	heap.Push(&l.flight, p)
}

// deliver writes the packets that are due.
func (l *Link) deliver() {
	for len(l.flight) > 0 && l.flight[0].due <= l.now() {
		p := heap.Pop(&l.flight).(*packet)
		if l.cond.Load().Down {
			l.stats.LostDown++
		} else if _, err := unix.Write(l.out, p.buf); err != nil {
			l.stats.LostDevice++
		} else {
			l.stats.Delivered++
			l.stats.DeliveredBytes += uint64(len(p.buf))
		}
		l.release(p)
	}
}
