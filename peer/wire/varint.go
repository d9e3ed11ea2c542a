package wire

// MaxInt is the largest integer on the wire: what JavaScript holds exactly.
const MaxInt = 1<<53 - 1

// maxVarint is the length of the longest uvarint, in bytes.
const maxVarint = 8

// AppendUvarint appends v, at most MaxInt, as LEB128.
func AppendUvarint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// Uvarint reads an uvarint of at most 8 bytes and at most MaxInt from the
// front of b and returns what follows it.
func Uvarint(b []byte) (v uint64, rest []byte, err error) {
	for i, c := range b {
		if i == maxVarint {
			return 0, nil, ErrRange
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			if v > MaxInt {
				return 0, nil, ErrRange
			}
			return v, b[i+1:], nil
		}
	}
	if len(b) >= maxVarint {
		return 0, nil, ErrRange
	}
	return 0, nil, ErrShort
}

// AppendSvarint appends v, within ±(2^52 − 1), as zigzag LEB128.
func AppendSvarint(b []byte, v int64) []byte {
	return AppendUvarint(b, uint64(v<<1)^uint64(v>>63))
}

// Svarint reads a zigzag LEB128 number, within ±(2^52 − 1), from the front of b.
func Svarint(b []byte) (v int64, rest []byte, err error) {
	u, rest, err := Uvarint(b)
	if err == nil && u == MaxInt { // −2^52, one beyond the range
		err = ErrRange
	}
	if err != nil {
		return 0, nil, err
	}
	return int64(u>>1) ^ -int64(u&1), rest, nil
}

func uvarintLen(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

// reader walks over a body and remembers the first error.
type reader struct {
	b   []byte
	err error
}

func (r *reader) uvarint(limit uint64) uint64 {
	if r.err != nil {
		return 0
	}
	v, rest, err := Uvarint(r.b)
	if err == nil && v > limit {
		err = ErrRange
	}
	if err != nil {
		r.err = err
		return 0
	}
	r.b = rest
	return v
}

func (r *reader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if len(r.b) < n {
		r.err = ErrShort
		return nil
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u32() uint32 {
	b := r.take(4)
	if b == nil {
		return 0
	}
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// skipExt passes over an extension: its length and that many bytes.
func (r *reader) skipExt() {
	n := r.uvarint(MaxPacket)
	r.take(int(n))
}

func appendU32(b []byte, v uint32) []byte {
	return append(b, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}
