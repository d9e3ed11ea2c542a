package wire

// Probe asks the other end of a path for an Echo (section 3.5). Times are µs
// since the Unix epoch on the clock of who wrote them.
type Probe struct {
	ID    uint64
	Heard bool // something came from the other end on this path within the doubt time; in an Echo it says nothing
	Full  bool // padded to FullProbe bytes; the echo too
	T1    uint64
}

// Echo answers a Probe.
type Echo struct {
	Probe
	T2, T3 uint64 // when the probe came, when the echo left
}

const (
	probeHeard = 1 << 0
	probeFull  = 1 << 1
)

func (p Probe) flags() (f byte) {
	if p.Heard {
		f |= probeHeard
	}
	if p.Full {
		f |= probeFull
	}
	return f
}

func (r *reader) probe() (p Probe) {
	p.ID = r.uvarint(MaxInt)
	flags := r.u8()
	p.Heard, p.Full = flags&probeHeard != 0, flags&probeFull != 0
	p.T1 = r.uvarint(MaxInt)
	return p
}

// ParseProbe reads a Probe frame's body.
func ParseProbe(body []byte) (Probe, error) {
	r := reader{b: body}
	p := r.probe()
	return p, r.err
}

// ParseEcho reads an Echo frame's body.
func ParseEcho(body []byte) (Echo, error) {
	r := reader{b: body}
	e := Echo{Probe: r.probe()}
	e.T2, e.T3 = r.uvarint(MaxInt), r.uvarint(MaxInt)
	return e, r.err
}

// fullHeadroom is how much shorter than its frame a full Probe's body may be, in
// bytes: length, type and hop part, whose conn number a relay rewrites.
const fullHeadroom = 32

// AnswerProbe is the Echo to the Probe whose frame has this body, its times aside.
// Only a Probe that was full itself gets a full one: nobody makes us send more
// than he did.
func AnswerProbe(body []byte) (Echo, error) {
	p, err := ParseProbe(body)
	p.Full = p.Full && len(body)+fullHeadroom >= FullProbe
	return Echo{Probe: p}, err
}

// AppendProbe appends a whole Probe frame, padded if p is Full.
func AppendProbe(b []byte, hop Hop, p Probe) []byte {
	var body [FullProbe]byte
	part := AppendUvarint(body[:0], p.ID)
	part = AppendUvarint(append(part, p.flags()), p.T1)
	return appendPadded(b, TypeProbe, hop, part, p.Full)
}

// AppendEcho appends a whole Echo frame, padded if e is Full.
func AppendEcho(b []byte, hop Hop, e Echo) []byte {
	var body [FullProbe]byte
	part := AppendUvarint(body[:0], e.ID)
	part = AppendUvarint(append(part, e.flags()), e.T1)
	part = AppendUvarint(AppendUvarint(part, e.T2), e.T3)
	return appendPadded(b, TypeEcho, hop, part, e.Full)
}

// appendPadded appends a frame whose body, which has capacity FullProbe and
// zeros behind its end, is lengthened so that the frame has FullProbe bytes.
func appendPadded(b []byte, t Type, hop Hop, body []byte, full bool) []byte {
	if excess := FullProbe - FrameSize(hop, len(body)); full && excess > 0 {
		grown := body[:len(body)+excess]
		grown = grown[:len(grown)-(FrameSize(hop, len(grown))-FullProbe)]
		body = grown
	}
	return AppendFrame(b, t, hop, body)
}
