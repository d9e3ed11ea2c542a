package live

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// link is what a simulated path does to packets, each way.
type link struct {
	delay, jitter time.Duration // jitter reorders
	loss, double  float64
	fade, fadeGap time.Duration // mean times in and between fades of both ways; 0: none
	rate          float64       // bytes a second towards In; 0: no limit
	queue         time.Duration // that may wait for the rate
	dark          [2]time.Duration
}

// world joins an Out to an In.
type world struct {
	t    *testing.T
	rand *rand.Rand
	acks *rand.Rand // of what carries packets
	link link
	out  *Out
	in   *In

	now     time.Duration
	flying  []flight
	busy    time.Duration // until when the rate's queue is at work
	fading  bool
	fadesAt time.Duration

	period, deadline time.Duration
	next             uint64                   // frame
	made             map[uint64]time.Duration // when frames were made
	came             map[uint64]time.Duration
	copies           int // of frames that came again
	waiting          []Frame
	bytes, packets   int // sent towards In
	arrived, acked   int // of these bytes, and as Out's end knows from what carries them
	receipts         int
	got, highest     int // packets that arrived, and the highest number of one
	missing          int // so many more are acknowledged at once, as one is missing
}

type flight struct {
	at     time.Duration
	packet []byte // towards In
	number int    // of the packet
	bytes  int    // of all packets up to it
	told   *wire.Receipt
	acked  int // bytes that have arrived: what carries packets says so of each second one
}

func newWorld(t *testing.T, seed uint64, l link) *world {
	return &world{
		t: t, rand: rand.New(rand.NewPCG(seed, 0)), acks: rand.New(rand.NewPCG(seed, 1)), link: l, out: NewOut(), in: NewIn(),
		period: 20 * time.Millisecond, deadline: 250 * time.Millisecond,
		made: map[uint64]time.Duration{}, came: map[uint64]time.Duration{},
	}
}

const tick = time.Millisecond

// run lets the world go on for a while; frames of that many bytes are made all the time.
func (w *world) run(length time.Duration, size int) {
	for end := w.now + length; w.now < end; w.now += tick {
		if w.now%w.period == 0 {
			w.make(size)
		}
		w.send()
		w.arrive()
		if n := len(w.out.repairs); n > maxRepairs {
			w.t.Fatalf("%d repairs wait", n)
		}
	}
}

func (w *world) make(size int) {
	w.next++
	w.made[w.next] = w.now
	body := binary.BigEndian.AppendUint64(make([]byte, 0, size), w.next)
	for len(body) < size {
		body = append(body, byte(w.rand.Uint32()))
	}
	w.waiting = append(w.waiting, Frame{
		Bytes: wire.AppendFrame(nil, wire.TypeData, wire.Hop{}, body), Key: 1, Until: w.now + w.deadline,
	})
}

// send is what a carrier does: the newest that fit go first, what is late is dropped.
func (w *world) send() {
	for {
		w.waiting = slices.DeleteFunc(w.waiting, func(f Frame) bool { return f.Until < w.now })
		w.out.Unacknowledged(w.now, uint64(w.bytes-w.acked))
		var fresh []Frame
		limit, size := w.out.Limit(w.now), 0
		for n := len(w.waiting); n > 0 && limit > 0 && (size == 0 || size+len(w.waiting[n-1].Bytes) <= limit); n = len(w.waiting) {
			size += len(w.waiting[n-1].Bytes)
			fresh, w.waiting = append(fresh, w.waiting[n-1]), w.waiting[:n-1]
		}
		slices.Reverse(fresh)
		if len(fresh) > 0 {
			w.fly(w.out.Pack(w.now, fresh))
			continue
		}
		packet, due := w.out.Next(w.now)
		if !due {
			break
		}
		w.fly(packet)
	}
	if wake := w.out.Wake(); wake < w.now && len(w.waiting) == 0 && w.out.Limit(w.now) > 0 {
		w.t.Fatalf("at %v nothing is due, and it wants to be woken at %v", w.now, wake)
	}
}

func (w *world) fly(packet []byte) {
	w.packets++
	w.bytes += len(packet)
	start := max(w.now, w.busy)
	if w.link.rate > 0 {
		if start-w.now > w.link.queue {
			return
		}
		w.busy = start + time.Duration(float64(len(packet)+wireCost)/w.link.rate*float64(time.Second))
		start = w.busy
	}
	w.launch(start-w.now, flight{packet: slices.Clone(packet), number: w.packets, bytes: w.bytes})
}

// wireCost is what a packet has on the link beside what is simulated, in bytes.
const wireCost = 93

func (w *world) launch(queued time.Duration, f flight) {
	if w.isDark() || w.rand.Float64() < w.link.loss {
		return
	}
	for n := 1 + w.chance(w.link.double); n > 0; n-- {
		f.at = w.now + queued + w.link.delay
		if w.link.jitter > 0 {
			f.at += time.Duration(w.rand.Int64N(int64(w.link.jitter)))
		}
		w.flying = append(w.flying, f)
	}
}

func (w *world) chance(p float64) int {
	if w.rand.Float64() < p {
		return 1
	}
	return 0
}

func (w *world) isDark() bool {
	for w.link.fade > 0 && w.now >= w.fadesAt {
		mean := w.link.fadeGap
		if w.fading = !w.fading; w.fading {
			mean = w.link.fade
		}
		w.fadesAt += time.Duration(w.rand.ExpFloat64() * float64(mean))
	}
	return w.fading || w.now >= w.link.dark[0] && w.now < w.link.dark[1]
}

func (w *world) arrive() {
	slices.SortStableFunc(w.flying, func(a, b flight) int { return cmp.Compare(a.at, b.at) })
	for len(w.flying) > 0 && w.flying[0].at <= w.now {
		f := w.flying[0]
		w.flying = w.flying[1:]
		if f.acked > 0 {
			w.acked = max(w.acked, f.acked)
			continue
		}
		if f.told != nil {
			w.out.Receipt(w.now, *f.told)
			continue
		}
		w.acknowledge(f)
		for _, content := range w.in.Receive(w.now, f.packet, nil) {
			w.deliver(content)
		}
		w.tell()
	}
	if w.now >= w.in.Wake() {
		w.tell()
	}
}

// acknowledge is what SCTP does with each second packet, and with each while one is missing, which it is for some four until it comes again.
func (w *world) acknowledge(f flight) {
	w.arrived += len(f.packet)
	if w.got++; f.number > w.highest+1 {
		w.missing = 4
	}
	w.highest = max(w.highest, f.number)
	if w.missing--; w.missing == -1 { // it has come again
		w.arrived = max(w.arrived, f.bytes)
	}
	if w.missing >= 0 || w.got%2 == 0 {
		if !w.isDark() && w.acks.Float64() >= w.link.loss {
			w.flying = append(w.flying, flight{at: w.now + w.link.delay, acked: w.arrived})
		}
	}
}

func (w *world) tell() {
	if r, due := w.in.Receipt(w.now); due {
		w.receipts++
		w.launch(0, flight{told: &r})
	}
}

func (w *world) deliver(content []byte) {
	for len(content) > 0 {
		f, rest, err := wire.NextFrame(content)
		if err != nil {
			w.t.Fatalf("a content that was made is none: %v", err)
		}
		content = rest
		number := binary.BigEndian.Uint64(f.Body)
		switch _, again := w.came[number]; {
		case w.made[number] == 0 && number != 1:
			w.t.Fatalf("frame %d came, which nobody made", number)
		case again:
			w.copies++
		default:
			w.came[number] = w.now
		}
	}
}

// within is the share of the frames made in a time that came before their deadline.
func (w *world) within(from, to time.Duration) float64 {
	made, in := 0, 0
	for number, at := range w.made {
		if at < from || at >= to {
			continue
		}
		made++
		if came, ok := w.came[number]; ok && came <= at+w.deadline {
			in++
		}
	}
	return float64(in) / float64(made)
}

// age is what share of the frames made in a time reaches or stays below, of those that came.
func (w *world) age(share float64, from, to time.Duration) time.Duration {
	var ages []time.Duration
	for number, at := range w.made {
		if came, ok := w.came[number]; ok && at >= from && at < to {
			ages = append(ages, came-at)
		}
	}
	slices.Sort(ages)
	return ages[int(share*float64(len(ages)))]
}

func (w *world) String() string {
	return fmt.Sprintf("%+v; loss %.3f, rtt %v, %d receipts", w.out.Stats(), w.out.path.loss, w.out.path.rtt, w.receipts)
}
