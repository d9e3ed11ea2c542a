package wire

// Range is a run of sequence numbers, both ends included.
type Range struct{ From, To uint64 }

// Position is how far a receiver got in one stream (section 3.3).
type Position struct {
	Stream   uint32
	Epoch    uint32
	Seq      uint64  // every sample up to and including it was delivered or declared a gap
	Received []Range // beyond Seq, ascending, not adjacent to Seq or one another
}

// Ack levels: memory is never called durable.
const (
	LevelReceived uint8 = 0
	LevelDurable  uint8 = 1
)

// ParseAck reads an Ack frame's body.
func ParseAck(body []byte) (level uint8, positions []Position, err error) {
	r := reader{b: body}
	level = r.u8()
	n := int(r.uvarint(MaxAckEntries))
	for range n {
		p := Position{Stream: uint32(r.uvarint(MaxStreamID)), Epoch: r.u32(), Seq: r.uvarint(MaxInt)}
		k := int(r.uvarint(MaxAckRanges))
		end := p.Seq
		for range k {
			skip, length := r.uvarint(MaxInt), r.uvarint(MaxInt)
			if r.err == nil && (skip == 0 || length == 0 || end+skip+length > MaxInt) {
				r.err = ErrRange
			}
			if r.err != nil {
				return 0, nil, r.err
			}
			p.Received = append(p.Received, Range{end + skip + 1, end + skip + length})
			end += skip + length
		}
		if r.err != nil {
			return 0, nil, r.err
		}
		positions = append(positions, p)
	}
	return level, positions, r.err
}

// AppendAck appends an Ack frame's body. It takes at most MaxAckEntries
// positions, and of each at most MaxAckRanges ranges; more are left out,
// which a sender takes as not received.
func AppendAck(b []byte, level uint8, positions []Position) []byte {
	positions = positions[:min(len(positions), MaxAckEntries)]
	b = append(b, level)
	b = AppendUvarint(b, uint64(len(positions)))
	for _, p := range positions {
		b = AppendUvarint(b, uint64(p.Stream))
		b = appendU32(b, p.Epoch)
		b = AppendUvarint(b, p.Seq)
		ranges := p.Received[:min(len(p.Received), MaxAckRanges)]
		b = AppendUvarint(b, uint64(len(ranges)))
		end := p.Seq
		for _, g := range ranges {
			b = AppendUvarint(b, g.From-end-1)
			b = AppendUvarint(b, g.To-g.From+1)
			end = g.To
		}
	}
	return b
}

// GapReason says why samples will never come (section 3.4).
type GapReason uint8

// The reasons for a gap.
const (
	GapRing            GapReason = 1 // overwritten before it could be sent
	GapRestart         GapReason = 2 // the producer ended
	GapUnknownPosition GapReason = 3 // asked for a position that was never there
	GapRefused         GapReason = 4 // the receiver cannot read them
	GapSpool           GapReason = 5 // the device's disk did not take them, or has them no more
)

var gapNames = map[GapReason]string{
	GapRing: "ring", GapRestart: "restart", GapUnknownPosition: "unknown-position", GapRefused: "refused", GapSpool: "spool",
}

// String returns the reason's name as JSON and metrics show it.
func (g GapReason) String() string {
	if name, ok := gapNames[g]; ok {
		return name
	}
	return "unknown"
}

// Gap declares that samples From … To of an epoch will not come. To is 0
// where nobody knows how many are missing.
type Gap struct {
	Stream   uint32
	Epoch    uint32
	From, To uint64
	Reason   GapReason
}

// ParseGap reads a Gap frame's body.
func ParseGap(body []byte) (g Gap, err error) {
	r := reader{b: body}
	g.Stream = uint32(r.uvarint(MaxStreamID))
	g.Epoch = r.u32()
	g.From = r.uvarint(MaxInt)
	g.To = r.uvarint(MaxInt)
	g.Reason = GapReason(r.u8())
	if r.err == nil && (g.Stream == 0 || g.From == 0 || g.To != 0 && g.To < g.From) {
		r.err = ErrRange
	}
	return g, r.err
}

// AppendGap appends a Gap frame's body.
func AppendGap(b []byte, g Gap) []byte {
	b = AppendUvarint(b, uint64(g.Stream))
	b = appendU32(b, g.Epoch)
	b = AppendUvarint(b, g.From)
	b = AppendUvarint(b, g.To)
	return append(b, byte(g.Reason))
}
