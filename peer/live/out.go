package live

import (
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

const (
	// maxPacket is what a packet has at most, in bytes, unless one frame alone
	// is longer: with what DTLS, SCTP and UDP add, one IP packet nearly everywhere.
	maxPacket = 1150

	// sentPackets is how many packets are remembered: as many as a receipt speaks of.
	sentPackets = wire.MaxReceipt

	// maxRepairs is how many frames may wait to be sent again; the oldest yield.
	maxRepairs = 64

	// maxNewest bounds the memory of which frames are their streams' newest;
	// beyond it all are forgotten.
	maxNewest = 4096
)

// Frame is a frame that is sent for the first time.
type Frame struct {
	Bytes []byte
	Key   uint64        // of its stream
	Until time.Duration // when it is worth nothing any more, unless it is its stream's newest; 0: never
	Span  time.Duration // by how much its first sample is older than its last, whose deadline Until is
}

// Stats count what a Out did.
type Stats struct {
	Packets  uint64 // all, with those that follow
	Repairs  uint64 // frames sent again
	Parities uint64
	Lost     uint64 // packets that were missing in a receipt
	Late     uint64 // fresh frames that were left out: they would have come too late
	Expired  uint64 // lost frames that were not sent again: too late
	Full     uint64 // and those for which there was no room
}

// Out is the sending end of one path's Live channel (section 7.5). It
// numbers packets and learns from receipts which came; what did not is sent
// again while it can be in time. Where it cannot, or losses come in long runs,
// packets carry parities of earlier ones. On a path without loss it adds nothing
// but the number.
type Out struct {
	path   state
	pace   pacer
	dusk   dusk
	number uint64
	sent   [sentPackets]sentPacket // by number
	newest map[uint64]*piece       // of each stream

	repairs  []*piece      // to be sent again
	seconds  []*piece      // were sent again, and ride along with the next fresh packet
	loaded   uint64        // the newest packet with a content
	owed     bool          // it had no room for a parity
	lastAt   time.Duration // the last packet
	freshAt  time.Duration // the last one with fresh frames
	askedAt  time.Duration
	awaited  time.Duration // when the oldest unanswered question was sent; 0: none
	asks     int           // unanswered questions, with that one
	darkFrom time.Duration // when the darkAsks-th of these is overdue
	answered bool          // a receipt has come, ever
	heard    uint64        // the highest number that a receipt named
	packet   []byte
	covers   [2]*sentPacket // memory of members
	stats    Stats
	undo     undo // of the packet that was made last
}

// sentPacket is a packet that was sent.
type sentPacket struct {
	number  uint64
	at      time.Duration
	size    int
	length  int // of its content
	kept    bool
	told    bool  // a receipt has spoken of it
	overdue bool  // before one did: it was sent again then
	covered uint8 // parities that it is in
	pieces  []*piece
}

// piece is a frame on its way.
type piece struct {
	Frame
	came  bool // for all we know
	twice bool // its second repair is under way
}

// NewOut returns the sending end of a new path.
func NewOut() *Out {
	return &Out{newest: map[uint64]*piece{}, askedAt: -time.Hour}
}

// Stats returns the counts so far.
func (o *Out) Stats() Stats { return o.stats }

// Pack makes the packet that carries fresh frames, the newest of each stream last, valid until the
// next call of Pack or Next. What would come too late is left out. Repairs that are due, and a parity, ride along as far as there is room.
func (o *Out) Pack(now time.Duration, fresh []Frame) []byte {
	p := o.begin(now)
	from := len(p.pieces)
	for _, f := range fresh {
		p.pieces = append(p.pieces, &piece{Frame: f})
		o.noteNewest(p.pieces[len(p.pieces)-1])
	}
	pieces := p.pieces[from:]
	p.pieces = p.pieces[:from]
	for _, f := range pieces {
		if o.inTime(now, f) {
			o.put(p, f)
		} else {
			o.stats.Late++
		}
	}
	o.path.spaced(now, o.freshAt, fresh)
	if now-o.freshAt > regularGap {
		o.dusk.regular = now
	}
	o.freshAt = now
	o.undo.fresh = len(p.pieces)
	o.putSeconds(now, p)
	o.expireRepairs(now) // they may have waited, as in the dark
	o.putRepairs(p)
	return o.finish(now, p)
}

// Next makes a packet that is due beside fresh ones: repairs, or the parity of
// the last packet where nothing follows it. False: none is.
func (o *Out) Next(now time.Duration) ([]byte, bool) {
	o.expireRepairs(now)
	o.forgoParity(now)
	if len(o.repairs) == 0 && now < min(o.parityAt(), o.duskAt(), o.remindAt()) || o.Limit(now) == 0 {
		return nil, false
	}
	if now >= o.remindAt() {
		o.remind()
	}
	again := now >= o.duskAt()
	p := o.begin(now)
	o.putRepairs(p)
	if again {
		o.putOldest(now, p)
	}
	return o.finish(now, p), true
}

// Wake is when to call Next, and to ask for the Limit, at the latest.
func (o *Out) Wake() time.Duration {
	if at := o.pace.wake(); at != Never {
		return at
	}
	if len(o.repairs) > 0 {
		return 0
	}
	return min(o.parityAt(), o.duskAt(), o.remindAt())
}

// at is where a packet is remembered.
func (o *Out) at(number uint64) *sentPacket { return &o.sent[number%sentPackets] }

// begin starts a packet with its number.
func (o *Out) begin(now time.Duration) *sentPacket {
	o.undo = undo{members: o.undo.members[:0], lastAt: o.lastAt, freshAt: o.freshAt, askedAt: o.askedAt, asks: o.asks, loaded: o.loaded, owed: o.owed, stats: o.stats}
	o.number++
	p := o.at(o.number)
	*p = sentPacket{number: o.number, at: now, kept: o.redundant(), pieces: p.pieces[:0]}
	ask := now >= o.askedAt+o.askEvery(now)
	if ask {
		o.undo.asked, o.undo.awaited = true, o.awaited == 0
		o.askedAt = now
		if o.asks++; o.asks == darkAsks {
			o.darkFrom = now + o.path.rtt + askAgain
		}
		if o.awaited == 0 {
			o.awaited = now
		}
	}
	var body [16]byte
	s := wire.Serial{Number: o.number, Ask: ask, Quick: o.path.repairable(), Kept: p.kept}
	o.packet = wire.AppendFrame(o.packet[:0], wire.TypeSerial, wire.Hop{}, wire.AppendSerial(body[:0], s))
	return p
}

// put adds a frame to a packet's content.
func (o *Out) put(p *sentPacket, f *piece) {
	p.pieces = append(p.pieces, f)
	p.length += len(f.Bytes)
	o.packet = append(o.packet, f.Bytes...)
}

// noteNewest notes the newest frame of a stream. Behind a backlog older ones
// come after it: they are worth something for less long.
func (o *Out) noteNewest(f *piece) {
	if known := o.newest[f.Key]; known != nil && f.Until != 0 && f.Until < known.Until {
		return
	}
	if len(o.newest) >= maxNewest {
		clear(o.newest)
	}
	o.newest[f.Key] = f
}

// finish adds the parity, and accounts for the packet.
func (o *Out) finish(now time.Duration, p *sentPacket) []byte {
	if p.kept && !o.dusk.on {
		o.putParity(now, p)
	}
	if p.length > 0 {
		o.loaded = p.number
	}
	p.size = len(o.packet)
	o.dusk.made += uint64(p.size)
	o.pace.sent(now, p.size)
	o.lastAt = now
	o.stats.Packets++
	return o.packet
}

// redundant reports whether packets carry parities now.
func (o *Out) redundant() bool { return o.path.redundant() && !o.pace.narrow() }
