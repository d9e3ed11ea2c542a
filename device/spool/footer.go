package spool

import (
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/telepath-iot/telepath/peer/wire"
)

const (
	head        = "telespl1" // a segment's first bytes; the digit is the format's version
	tail        = "tail"
	trailerSize = 16
)

// contents is what is in a segment: all that is kept of it in memory.
type contents struct {
	end         int64  // bytes: where its records end
	first, last uint64 // µs: when its first and last batch were made; 0: there is none
	spans       []span // in the order in which the streams came
	ended       []uint32
	index       map[Key]int // of spans; nil where nothing is looked up
}

// span is what a segment has of one stream. There may be holes in it.
type span struct {
	Key
	*Description
	First, Last uint64 // sequence numbers; First 0: no batch is there; Last 0: only a gap is told
}

// clone copies what is added to later.
func (c *contents) clone() contents {
	out := *c
	out.spans, out.ended, out.index = slices.Clone(c.spans), slices.Clone(c.ended), nil
	return out
}

// describe adds a stream that is not there yet.
func (c *contents) describe(k Key, d *Description) {
	if c.has(k) {
		return
	}
	if c.index == nil {
		c.index = map[Key]int{}
	}
	c.index[k] = len(c.spans)
	c.spans = append(c.spans, span{Key: k, Description: d})
}

// has reports whether a stream was described.
func (c *contents) has(k Key) bool {
	_, ok := c.index[k]
	return ok
}

// add takes a batch of a stream that was described.
func (c *contents) add(k Key, at, first, last uint64) {
	i, ok := c.index[k]
	if !ok {
		return
	}
	if c.first == 0 {
		c.first = at
	}
	c.last = at
	s := &c.spans[i]
	if s.First == 0 {
		s.First = first
	}
	s.Last = max(s.Last, last)
}

// finish takes the last sample of a stream that was described: there is none behind it in its run.
func (c *contents) finish(k Key, seq uint64) {
	if i, ok := c.index[k]; ok {
		c.spans[i].Last = max(c.spans[i].Last, seq)
	}
}

// appendFooter appends the footer and the trailer of a segment; offset is where the footer will be.
func appendFooter(b []byte, c *contents, offset int64) []byte {
	at := len(b)
	b = beginRecord(b, kindFooter)
	for _, v := range []uint64{uint64(c.end), c.first, c.last, uint64(len(c.spans))} {
		b = wire.AppendUvarint(b, v)
	}
	for _, s := range c.spans {
		b = appendDescription(b, s.Key, s.Description)
		b = wire.AppendUvarint(b, uint64(len(s.Meta)))
		b = append(b, s.Meta...)
		b = wire.AppendUvarint(b, s.First)
		b = wire.AppendUvarint(b, s.Last)
	}
	b = wire.AppendUvarint(b, uint64(len(c.ended)))
	for _, epoch := range c.ended {
		b = binary.BigEndian.AppendUint32(b, epoch)
	}
	return appendTrailer(endRecord(b, at), offset)
}

func parseFooter(body []byte) (c contents, err error) {
	r := reader{b: body}
	c.end, c.first, c.last = int64(r.uvarint(wire.MaxInt)), r.uvarint(wire.MaxInt), r.uvarint(wire.MaxInt)
	for n := r.uvarint(maxFooter); n > 0 && r.err == nil; n-- {
		k, d := r.description()
		d.Meta = string(r.bytes(int(r.uvarint(maxMeta))))
		c.spans = append(c.spans, span{k, &d, r.uvarint(wire.MaxInt), r.uvarint(wire.MaxInt)})
	}
	for n := r.uvarint(maxFooter); n > 0 && r.err == nil; n-- {
		c.ended = append(c.ended, r.u32())
	}
	return c, r.err
}

func appendTrailer(b []byte, offset int64) []byte {
	at := len(b)
	b = binary.BigEndian.AppendUint64(b, uint64(offset))
	b = append(b, tail...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[at:], crcTable))
}

// parseTrailer returns the footer's offset in a file of the given size.
func parseTrailer(b []byte, size int64) (offset int64, ok bool) {
	if len(b) != trailerSize || string(b[8:12]) != tail {
		return 0, false
	}
	at := binary.BigEndian.Uint64(b)
	whole := crc32.Checksum(b[:12], crcTable) == binary.BigEndian.Uint32(b[12:])
	if !whole || at < uint64(len(head)) || at > uint64(size-trailerSize) {
		return 0, false
	}
	return int64(at), true
}
