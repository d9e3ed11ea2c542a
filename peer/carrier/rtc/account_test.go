package rtc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/logging"
	"github.com/pion/sctp"
	"github.com/telepath-iot/telepath/peer/live"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file runs package live over pion's SCTP on a simulated link, in the
// clear and in simulated time, to see what each kind of packet costs.

// hop is a simulated link.
type hop struct {
	delay         time.Duration
	loss          float64
	jitter        time.Duration // reorders
	fade, fadeGap time.Duration // mean times in and between fades of both ways at once; 0: none
}

// link joins two associations.
type link struct {
	hop
	start time.Time

	mu      sync.Mutex
	rand    *rand.Rand // guarded by mu
	fades   []time.Duration
	account account // guarded by mu
}

// account counts packets and bytes on the link by kind.
type account map[string]cost

type cost struct{ packets, bytes int }

// overhead is what DTLS (record header, tag), UDP and IPv4 add to an SCTP packet.
const overhead = 13 + 16 + 8 + 20

// datagram is what bare UDP has on the link for a sample, in bytes.
const datagram = 128

func newLink(seed uint64, h hop) *link {
	l := &link{hop: h, start: time.Now(), rand: rand.New(rand.NewPCG(seed, 1)), account: account{}}
	r := rand.New(rand.NewPCG(seed, 2))
	if h.fade > 0 {
		for at := time.Duration(0); at < time.Hour; {
			at += time.Duration(r.ExpFloat64() * float64(h.fadeGap))
			l.fades = append(l.fades, at)
			at += time.Duration(r.ExpFloat64() * float64(h.fade))
			l.fades = append(l.fades, at)
		}
	}
	return l
}

func (l *link) dark() bool {
	i, found := slices.BinarySearch(l.fades, time.Since(l.start))
	return (i%2 == 1) != found
}

// pass accounts for a packet and says whether it arrives.
func (l *link) pass(way string, b []byte, sent map[uint32]bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	kind := way + " " + chunksOf(b, sent)
	c := l.account[kind]
	l.account[kind] = cost{c.packets + 1, c.bytes + len(b) + overhead}
	return l.rand.Float64() >= l.loss && !l.dark()
}

// late is by how much a packet is later than the delay.
func (l *link) late() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(l.rand.Int64N(int64(l.jitter)))
}

// chunksOf names what an SCTP packet holds (RFC 9260, section 3.2).
func chunksOf(b []byte, sent map[uint32]bool) string {
	var names []string
	for b = b[12:]; len(b) >= 4; {
		size := int(binary.BigEndian.Uint16(b[2:]))
		name := map[byte]string{0: "data", 64: "data", 3: "sack", 4: "heartbeat", 5: "heartbeat", 192: "forward", 194: "forward"}[b[0]]
		if name == "data" {
			tsn := binary.BigEndian.Uint32(b[4:])
			if sent[tsn] {
				name = "again"
			}
			sent[tsn] = true
			name += fmt.Sprint(binary.BigEndian.Uint16(b[8:]))
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		b = b[min(len(b), (size+3)&^3):]
	}
	return strings.Join(names, "+")
}

// end is one association's side of a link.
type end struct {
	link  *link
	way   string
	other *end
	came  chan []byte
	gone  chan struct{}
	once  sync.Once
	sent  map[uint32]bool

	mu     sync.Mutex
	flying [][]byte // guarded by mu
}

func (l *link) ends() (near, far *end) {
	near = &end{link: l, way: "→", came: make(chan []byte, 10000), gone: make(chan struct{}), sent: map[uint32]bool{}}
	far = &end{link: l, way: "←", came: make(chan []byte, 10000), gone: make(chan struct{}), sent: map[uint32]bool{}}
	near.other, far.other = far, near
	return near, far
}

func (e *end) Write(b []byte) (int, error) {
	if !e.link.pass(e.way, b, e.sent) {
		return len(b), nil
	}
	if e.link.jitter > 0 {
		packet, more := slices.Clone(b), e.link.late()
		time.AfterFunc(e.link.delay+more, func() { e.other.came <- packet })
		return len(b), nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.flying = append(e.flying, slices.Clone(b))
	time.AfterFunc(e.link.delay, e.arrive)
	return len(b), nil
}

// arrive brings the packet that was sent first: timers of the same instant fire in any order.
func (e *end) arrive() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.other.came <- e.flying[0]
	e.flying = e.flying[1:]
}

func (e *end) Read(b []byte) (int, error) {
	select {
	case packet := <-e.came:
		return copy(b, packet), nil
	case <-e.gone:
		return 0, io.EOF
	}
}

func (e *end) Close() error                     { e.once.Do(func() { close(e.gone) }); return nil }
func (e *end) LocalAddr() net.Addr              { return nil }
func (e *end) RemoteAddr() net.Addr             { return nil }
func (e *end) SetDeadline(time.Time) error      { return nil }
func (e *end) SetReadDeadline(time.Time) error  { return nil }
func (e *end) SetWriteDeadline(time.Time) error { return nil }

func associate(t *testing.T, l *link) (a, b *sctp.Association) {
	near, far := l.ends()
	options := func(e *end) []sctp.ClientOption {
		return []sctp.ClientOption{
			sctp.WithNetConn(e), sctp.WithLoggerFactory(logging.NewDefaultLoggerFactory()), sctp.WithMTU(1200),
			sctp.WithMaxReceiveBufferSize(defaultWindow), sctp.WithBlockWrite(true),
			sctp.WithRTOMax(1000), sctp.WithMinCwnd(leastWindow),
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var err error
		if b, err = sctp.ClientWithOptions(options(far)...); err != nil {
			t.Error(err)
		}
	}()
	var err error
	if a, err = sctp.ClientWithOptions(options(near)...); err != nil {
		t.Fatal(err)
	}
	<-done
	return a, b
}

// trial sends samples of 100 bytes, 100 a second, and counts.
type trial struct {
	link    *link
	batches []int // samples in packets, in turn
	ends    *liveEnds
	waiting []live.Frame
	made    []int // samples in the batches so far
	doubt   bool
	begun   time.Duration
	bell    chan struct{}
	mu      sync.Mutex
	age     map[int]time.Duration // of a batch when it came
}

const (
	samplePeriod = 10 * time.Millisecond
	deadline     = 250 * time.Millisecond
	warmUp       = 5 * time.Second
	// What a batch has beside its samples, and a sample in it: its bytes and their length.
	batchCost, sampleCost = 28, 101
)

func (r *trial) run(t *testing.T, length time.Duration) {
	a, b := associate(t, r.link)
	defer a.Close()
	defer b.Close()
	open := func(x *sctp.Association, id uint16, k kind) *sctp.Stream {
		s, err := x.OpenStream(id, sctp.PayloadTypeWebRTCBinary)
		check(t, err)
		k.set(s)
		return s
	}
	toLive, fromLive := open(a, liveChannel, table[liveChannel]), open(b, liveChannel, table[liveChannel])
	receipts, toReceipts := open(a, briefChannel, table[briefChannel]), open(b, briefChannel, table[briefChannel])
	r.ends, r.age, r.bell = newLive(), map[int]time.Duration{}, make(chan struct{}, 1)
	r.ends.born = r.link.start
	over := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() { r.receive(fromLive, toReceipts) })
	all.Go(func() { r.hear(receipts) })
	all.Go(func() { r.sendAll(toLive, over) })
	all.Go(func() { r.makeAll(over, length) })
	<-over
	time.Sleep(2 * time.Second)
	a.Close()
	b.Close()
	all.Wait()
}

func (r *trial) makeAll(over chan struct{}, length time.Duration) {
	defer close(over)
	r.begun = time.Since(r.link.start)
	for i := 0; time.Since(r.link.start) < length; i++ {
		batch := r.batches[i%len(r.batches)]
		time.Sleep(time.Duration(batch) * samplePeriod)
		body := binary.BigEndian.AppendUint64(nil, uint64(len(r.made)))
		body = binary.BigEndian.AppendUint64(body, uint64(r.ends.now()))
		body = append(body, make([]byte, batchCost-4+batch*sampleCost-len(body))...)
		r.mu.Lock()
		r.made = append(r.made, batch)
		r.waiting = append(r.waiting, live.Frame{Bytes: wire.AppendFrame(nil, wire.TypeData, wire.Hop{}, body), Key: 1, Until: r.ends.now() + deadline, Span: time.Duration(batch-1) * samplePeriod})
		r.mu.Unlock()
		r.ring()
	}
}

func (r *trial) ring() {
	select {
	case r.bell <- struct{}{}:
	default:
	}
}

// next is what liveWriter.next is.
func (r *trial) next(s *sctp.Stream) (packet []byte, taken []live.Frame) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.ends.now()
	r.ends.out.Unacknowledged(now, s.BufferedAmount())
	limit := r.ends.out.Limit(now)
	if doubt := r.ends.out.Doubtful(now); doubt != r.doubt {
		r.doubt = doubt
		(&channel{kind: table[liveChannel], stream: s}).abandon(doubt)
	}
	r.waiting = slices.DeleteFunc(r.waiting, func(f live.Frame) bool { return f.Until < now })
	size := 0
	for n := len(r.waiting); n > 0 && limit > 0 && (size == 0 || size+len(r.waiting[n-1].Bytes) <= limit); n = len(r.waiting) {
		size += len(r.waiting[n-1].Bytes)
		taken, r.waiting = append(taken, r.waiting[n-1]), r.waiting[:n-1]
	}
	slices.Reverse(taken)
	if len(taken) > 0 {
		return slices.Clone(r.ends.out.Pack(now, taken)), taken
	}
	packet, _ = r.ends.out.Next(now)
	return slices.Clone(packet), nil
}

func (r *trial) sendAll(s *sctp.Stream, over chan struct{}) {
	for {
		for packet, taken := r.next(s); len(packet) > 0; packet, taken = r.next(s) {
			_ = s.SetWriteDeadline(time.Now().Add(stall))
			if _, err := s.Write(packet); err != nil {
				r.mu.Lock()
				r.ends.out.Unsent()
				r.waiting = append(r.waiting, taken...)
				slices.SortFunc(r.waiting, func(a, b live.Frame) int { return int(a.Until - b.Until) })
				r.mu.Unlock()
				if !errors.Is(err, os.ErrDeadlineExceeded) && !stalled(err) {
					return
				}
			}
		}
		r.mu.Lock()
		wake := min(max(0, r.ends.out.Wake()-r.ends.now()), time.Hour)
		r.mu.Unlock()
		select {
		case <-r.bell:
		case <-time.After(wake):
		case <-over:
			return
		}
	}
}

func (r *trial) hear(s *sctp.Stream) {
	buf := make([]byte, 2000)
	for {
		n, err := s.Read(buf)
		if err != nil {
			return
		}
		f, _, err := wire.NextFrame(buf[:n])
		if err != nil {
			continue
		}
		if receipt, err := wire.ParseReceipt(f.Body); err == nil {
			r.mu.Lock()
			r.ends.out.Receipt(r.ends.now(), receipt)
			r.mu.Unlock()
			r.ring()
		}
	}
}

func (r *trial) receive(s, back *sctp.Stream) {
	buf := make([]byte, 2000)
	var in sync.Mutex
	var timer *time.Timer
	tell := func() {
		in.Lock()
		defer in.Unlock()
		now := r.ends.now()
		if receipt, due := r.ends.in.Receipt(now); due {
			_, _ = back.Write(wire.AppendFrame(nil, wire.TypeReceipt, wire.Hop{}, wire.AppendReceipt(nil, receipt)))
		}
		if timer.Stop(); r.ends.in.Wake() != live.Never {
			timer.Reset(r.ends.in.Wake() - now)
		}
	}
	timer = time.AfterFunc(time.Hour, tell)
	defer timer.Stop()
	for {
		n, err := s.Read(buf)
		if err != nil {
			return
		}
		now := r.ends.now()
		in.Lock()
		for _, content := range r.ends.in.Receive(now, slices.Clone(buf[:n]), nil) {
			r.note(now, content)
		}
		in.Unlock()
		tell()
	}
}

func (r *trial) note(now time.Duration, content []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(content) > 0 {
		f, rest, err := wire.NextFrame(content)
		if err != nil {
			return
		}
		content = rest
		number, made := int(binary.BigEndian.Uint64(f.Body)), time.Duration(binary.BigEndian.Uint64(f.Body[8:]))
		if _, again := r.age[number]; !again {
			r.age[number] = now - made
		}
	}
}

// within is the share of the samples that came in time, and the age of those that came, sorted.
func (r *trial) within() (share float64, ages []time.Duration) {
	in, before, made := 0, 0, 0
	for n, batch := range r.made {
		if before += batch; time.Duration(before)*samplePeriod < warmUp {
			continue
		}
		made += batch
		age, came := r.age[n]
		for i := 0; came && i < batch; i++ {
			sample := age + time.Duration(i)*samplePeriod
			ages = append(ages, sample)
			if sample <= deadline {
				in++
			}
		}
	}
	slices.Sort(ages)
	return float64(in) / float64(made), ages
}

func (r *trial) print(t *testing.T) (share, times float64) {
	share, ages := r.within()
	bytes, packets, samples := 0, 0, 0.0
	for _, batch := range r.made {
		samples += float64(batch)
	}
	for _, kind := range slices.Sorted(maps.Keys(r.link.account)) {
		c := r.link.account[kind]
		bytes, packets = bytes+c.bytes, packets+c.packets
		if c.packets > 20 {
			t.Logf("%-24s %6d packets %4d bytes each %7.1f a sample", kind, c.packets, c.bytes/c.packets, float64(c.bytes)/samples)
		}
	}
	t.Logf("%.2f %% in time, p50 %v p99 %v; %.0f bytes a sample = %.2f × UDP, %.2f packets; %+v",
		100*share, ages[len(ages)/2], ages[len(ages)*99/100], float64(bytes)/samples, float64(bytes)/samples/datagram, float64(packets)/samples, r.ends.out.Stats())
	return share, float64(bytes) / samples / datagram
}

// TestWhatLiveCosts holds what was reached, with a margin for three minutes' luck: timers of one instant fire in any order, so a
// seed does not repeat exactly.
func TestWhatLiveCosts(t *testing.T) {
	for _, c := range []struct {
		name    string
		hop     hop
		batches []int
		least   float64 // share in time
		most    float64 // bytes, × bare UDP's
	}{
		{"300-10", hop{delay: 150 * time.Millisecond, loss: 0.1}, []int{2, 3}, 0.995, 2.95},
		{"300-10, reordered", hop{delay: 150 * time.Millisecond, loss: 0.1, jitter: 20 * time.Millisecond}, []int{2, 3}, 0.988, 3.0},
		{"100-5", hop{delay: 50 * time.Millisecond, loss: 0.05}, []int{3}, 0.999, 1.6},
		{"50", hop{delay: 25 * time.Millisecond}, []int{3}, 1, 1.35},
		{"fade200", hop{delay: 50 * time.Millisecond, fade: 200 * time.Millisecond, fadeGap: 4 * time.Second}, []int{3}, 0.983, 2.3},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &trial{link: newLink(1, c.hop), batches: c.batches}
				r.run(t, 3*time.Minute)
				if share, times := r.print(t); share < c.least || times > c.most {
					t.Errorf("want at least %.2f %% with at most %.2f × the bytes", 100*c.least, c.most)
				}
			})
		})
	}
}
