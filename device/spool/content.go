package spool

import (
	"encoding/binary"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Key names a stream of one run of the program: its epoch and its number there.
type Key struct {
	Epoch  uint32
	Stream uint32
}

// Description is what the spool knows of a stream beside its samples.
type Description struct {
	Name  string
	Class wire.Class
	Meta  string // opaque, at most 4 KiB
}

// maxMeta bounds a description's Meta, in bytes, as a server does.
const maxMeta = 4 << 10

func appendStream(b []byte, k Key, d *Description) []byte {
	at := len(b)
	b = beginRecord(b, kindStream)
	b = appendDescription(b, k, d)
	return endRecord(append(b, d.Meta...), at)
}

// appendDescription appends all but the meta, whose length the caller knows.
func appendDescription(b []byte, k Key, d *Description) []byte {
	b = binary.BigEndian.AppendUint32(b, k.Epoch)
	b = wire.AppendUvarint(b, uint64(k.Stream))
	b = append(b, byte(d.Class))
	b = wire.AppendUvarint(b, uint64(len(d.Name)))
	return append(b, d.Name...)
}

func parseStream(body []byte) (k Key, d Description, err error) {
	r := reader{b: body}
	k, d = r.description()
	d.Meta = string(r.bytes(len(r.b)))
	if len(d.Meta) > maxMeta {
		r.fail()
	}
	return k, d, r.err
}

// batch is a batch as it stands in the log.
type batch struct {
	at     uint64 // µs, when it was made
	data   []byte // a Data frame's body
	header wire.Header
}

func appendBatch(b []byte, at uint64, data []byte) []byte {
	start := len(b)
	b = beginRecord(b, kindBatch)
	b = wire.AppendUvarint(b, at)
	return endRecord(append(b, data...), start)
}

func parseBatch(body []byte) (out batch, err error) {
	if out.at, out.data, err = wire.Uvarint(body); err != nil {
		return out, err
	}
	out.header, _, err = wire.ParseData(out.data)
	return out, err
}

func appendGap(b []byte, g wire.Gap) []byte {
	at := len(b)
	return endRecord(wire.AppendGap(beginRecord(b, kindGap), g), at)
}

func appendEnd(b []byte, epoch uint32) []byte {
	at := len(b)
	return endRecord(binary.BigEndian.AppendUint32(beginRecord(b, kindEnd), epoch), at)
}

func parseEnd(body []byte) (epoch uint32, err error) {
	r := reader{b: body}
	return r.u32(), r.err
}

// final is the last sample that a run of the program made of a stream, kept or declared a gap.
type final struct {
	Key
	*Description
	seq uint64
}

func appendFinal(b []byte, f final) []byte {
	at := len(b)
	b = binary.BigEndian.AppendUint32(beginRecord(b, kindFinal), f.Epoch)
	b = wire.AppendUvarint(b, uint64(f.Stream))
	return endRecord(wire.AppendUvarint(b, f.seq), at)
}

func parseFinal(body []byte) (f final, err error) {
	r := reader{b: body}
	f.Key = Key{Epoch: r.u32(), Stream: uint32(r.uvarint(wire.MaxStreamID))}
	if f.seq = r.uvarint(wire.MaxInt); f.Epoch == 0 || f.Stream == 0 || f.seq == 0 {
		r.fail()
	}
	return f, r.err
}

// reader takes fields from the front of b. After the first error it yields zeros.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail() {
	if r.err == nil {
		r.b, r.err = nil, errCorrupt
	}
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail()
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u8() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uvarint(most uint64) uint64 {
	v, rest, err := wire.Uvarint(r.b)
	if err != nil || v > most {
		r.fail()
		return 0
	}
	r.b = rest
	return v
}

// description reads what appendDescription appends.
func (r *reader) description() (k Key, d Description) {
	k = Key{Epoch: r.u32(), Stream: uint32(r.uvarint(wire.MaxStreamID))}
	d.Class = wire.Class(r.u8())
	d.Name = string(r.bytes(int(r.uvarint(wire.MaxStreamName))))
	if k.Epoch == 0 || k.Stream == 0 || d.Name == "" {
		r.fail()
	}
	return k, d
}
