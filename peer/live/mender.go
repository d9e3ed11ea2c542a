package live

import (
	"slices"

	"github.com/telepath-iot/telepath/peer/wire"
)

// mender keeps the newest contents of packets, and makes of parities those
// that did not come. It holds at most wire.MaxLag contents, and maxParities
// parities, each within a packet's size.
type mender struct {
	kept    [wire.MaxLag + 1]keptContent // by number
	pending []pendingParity
}

// maxParities is how many parities wait for more to come.
const maxParities = 16

type keptContent struct {
	number uint64 // 0: none
	bytes  []byte
}

type pendingParity struct {
	number uint64 // of the packet that brought it
	parity wire.Parity
}

// take keeps a packet's content and appends to out what can be made with it and
// its parities.
func (m *mender) take(number uint64, content []byte, parities []wire.Parity, out [][]byte) [][]byte {
	m.keep(number, content)
	for _, p := range parities {
		p.Bytes = slices.Clone(p.Bytes)
		m.pending = append(m.pending, pendingParity{number, p})
		if len(m.pending) > maxParities {
			m.pending = slices.Delete(m.pending, 0, 1)
		}
	}
	for mended := true; mended; {
		mended = false
		m.pending = slices.DeleteFunc(m.pending, func(p pendingParity) bool {
			missing, n := m.missing(p)
			if n != 1 {
				return n == 0
			}
			if made, ok := m.mend(p, missing); ok {
				m.keep(missing, made)
				out, mended = append(out, made), true
			}
			return true
		})
	}
	return out
}

func (m *mender) keep(number uint64, content []byte) {
	k := &m.kept[number%uint64(len(m.kept))]
	if number > k.number {
		k.number, k.bytes = number, append(k.bytes[:0], content...)
	}
}

func (m *mender) content(number uint64) (bytes []byte, ok bool) {
	k := &m.kept[number%uint64(len(m.kept))]
	return k.bytes, k.number == number
}

// missing is the last packet covered that is not there, and how many there
// are. Those that are there no more count, too: nothing can be made without them.
func (m *mender) missing(p pendingParity) (number uint64, n int) {
	for _, lag := range p.parity.Lags {
		if lag >= p.number {
			return 0, 0
		}
		if _, ok := m.content(p.number - lag); !ok {
			number = p.number - lag
			n++
		}
	}
	return number, n
}

// mend makes the one content that is missing.
func (m *mender) mend(p pendingParity, missing uint64) (made []byte, ok bool) {
	length := p.parity.Length
	made = slices.Clone(p.parity.Bytes)
	for _, lag := range p.parity.Lags {
		if number := p.number - lag; number != missing {
			content, _ := m.content(number)
			length ^= uint16(len(content))
			if len(content) > len(made) {
				return nil, false
			}
			xor(made, content)
		}
	}
	if int(length) > len(made) || m.kept[missing%uint64(len(m.kept))].number > missing {
		return nil, false
	}
	return made[:length], true
}

// xor adds b to a, which is not shorter, modulo 2.
func xor(a, b []byte) {
	for i, c := range b {
		a[i] ^= c
	}
}
