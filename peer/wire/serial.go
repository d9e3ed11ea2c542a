package wire

// Serial is the first frame of a packet on a Live channel (section 3.7): it
// numbers the packet and says what its sender wants to know.
type Serial struct {
	Number uint64 // of this packet on this path; the first has 1, +1 a packet
	Ask    bool   // a Receipt is wanted at once
	Quick  bool   // and whenever a number is seen to be missing
	Kept   bool   // a Parity may come that covers this packet
}

const (
	serialAsk   = 1 << 0
	serialQuick = 1 << 1
	serialKept  = 1 << 2
)

// ParseSerial reads a Serial frame's body.
func ParseSerial(body []byte) (s Serial, err error) {
	r := reader{b: body}
	s.Number = r.uvarint(MaxInt)
	flags := r.u8()
	s.Ask, s.Quick, s.Kept = flags&serialAsk != 0, flags&serialQuick != 0, flags&serialKept != 0
	if r.err == nil && s.Number == 0 {
		r.err = ErrRange
	}
	return s, r.err
}

// AppendSerial appends a Serial frame's body.
func AppendSerial(b []byte, s Serial) []byte {
	var flags byte
	if s.Ask {
		flags |= serialAsk
	}
	if s.Quick {
		flags |= serialQuick
	}
	if s.Kept {
		flags |= serialKept
	}
	return append(AppendUvarint(b, s.Number), flags)
}

// Run is packets in a row that came, and those in a row before them that did not.
type Run struct{ Came, Missed uint64 }

// Receipt says which packets of a Live channel came (section 3.7).
type Receipt struct {
	Newest uint64 // the highest number that came
	Held   uint64 // µs from its arrival until the receipt left
	Runs   []Run  // from Newest downward; what lies before the last is not spoken of
}

// Bounds of a Receipt.
const (
	MaxReceiptRuns = 32
	MaxReceipt     = 256 // packets it speaks of
)

// ParseReceipt reads a Receipt frame's body.
func ParseReceipt(body []byte) (t Receipt, err error) {
	r := reader{b: body}
	t.Newest, t.Held = r.uvarint(MaxInt), r.uvarint(MaxInt)
	n := int(r.uvarint(MaxReceiptRuns))
	sum := uint64(0)
	for range n {
		run := Run{Came: r.uvarint(MaxReceipt), Missed: r.uvarint(MaxReceipt)}
		sum += run.Came + run.Missed
		if r.err == nil && (run.Came == 0 || sum > MaxReceipt || sum > t.Newest) {
			r.err = ErrRange
		}
		if r.err != nil {
			return Receipt{}, r.err
		}
		t.Runs = append(t.Runs, run)
	}
	return t, r.err
}

// AppendReceipt appends a Receipt frame's body, with at most MaxReceiptRuns runs.
func AppendReceipt(b []byte, t Receipt) []byte {
	runs := t.Runs[:min(len(t.Runs), MaxReceiptRuns)]
	b = AppendUvarint(AppendUvarint(b, t.Newest), t.Held)
	b = AppendUvarint(b, uint64(len(runs)))
	for _, run := range runs {
		b = AppendUvarint(AppendUvarint(b, run.Came), run.Missed)
	}
	return b
}

// Parity is the sum modulo 2 of the contents of earlier packets of a Live
// channel (section 3.7): if all but one of them came, it is the one that did not.
type Parity struct {
	Lags   []uint64 // how far before this packet's number each covered one has its own, ascending
	Length uint16   // the sum of the contents' lengths
	Bytes  []byte   // the sum of the contents, the shorter ones lengthened with zeros
}

// MaxLag is how far back a Parity reaches at most, in packets, and how many it covers.
const (
	MaxLag  = 32
	MaxLags = 8
	// MaxParities is how many Parities a packet has at most.
	MaxParities = 8
)

// ParseParity reads a Parity frame's body. Bytes alias it.
func ParseParity(body []byte) (p Parity, err error) {
	r := reader{b: body}
	n := int(r.uvarint(MaxLags))
	last := uint64(0)
	for range n {
		lag := r.uvarint(MaxLag)
		if r.err == nil && lag <= last {
			r.err = ErrRange
		}
		if r.err != nil {
			return Parity{}, r.err
		}
		p.Lags, last = append(p.Lags, lag), lag
	}
	p.Length = uint16(r.u8()) << 8
	p.Length |= uint16(r.u8())
	p.Bytes = r.b
	return p, r.err
}

// AppendParity appends a Parity frame's body.
func AppendParity(b []byte, p Parity) []byte {
	b = AppendUvarint(b, uint64(len(p.Lags)))
	for _, lag := range p.Lags {
		b = AppendUvarint(b, lag)
	}
	b = append(b, byte(p.Length>>8), byte(p.Length))
	return append(b, p.Bytes...)
}
