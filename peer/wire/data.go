package wire

// Header is the immutable end-to-end part of a Data frame (section 3.2).
type Header struct {
	Class    Class
	Stream   uint32 // 1 … MaxStreamID
	Epoch    uint32 // random, not 0, new at each start of the producer
	Seq      uint64 // of the first sample; the first of an epoch has 1
	Count    int    // samples in the batch, 1 … MaxCount
	Deadline uint64 // ms after the sample's time; 0: none
	Key      uint64 // of the sealed payload; 0: not sealed
	Will     bool   // a last will
}

const (
	version        = 1
	headerDeadline = 1 << 0
	headerKey      = 1 << 1
	headerWill     = 1 << 2
)

// Last is the sequence number of the batch's last sample.
func (h Header) Last() uint64 { return h.Seq + uint64(h.Count) - 1 }

// ParseData reads a Data frame's body. payload aliases it.
func ParseData(body []byte) (h Header, payload []byte, err error) {
	r := reader{b: body}
	vclass, flags := r.u8(), r.u8()
	if r.err == nil && vclass>>4 != version {
		return h, nil, ErrVersion
	}
	h.Class = Class(vclass & 15)
	h.Stream = uint32(r.uvarint(MaxStreamID))
	h.Epoch = r.u32()
	h.Seq = r.uvarint(MaxInt - MaxCount)
	h.Count = int(r.uvarint(MaxCount))
	if flags&headerDeadline != 0 {
		h.Deadline = r.uvarint(MaxInt)
	}
	if flags&headerKey != 0 {
		h.Key = r.uvarint(MaxInt)
	}
	h.Will = flags&headerWill != 0
	if flags&flagExt != 0 {
		r.skipExt()
	}
	if r.err != nil {
		return h, nil, r.err
	}
	if h.Class >= classes || h.Stream == 0 || h.Epoch == 0 || h.Seq == 0 || h.Count == 0 {
		return h, nil, ErrRange
	}
	return h, r.b, nil
}

// AppendHeader appends a Data frame's header; the payload goes behind it.
func AppendHeader(b []byte, h Header) []byte {
	var flags byte
	if h.Deadline != 0 {
		flags |= headerDeadline
	}
	if h.Key != 0 {
		flags |= headerKey
	}
	if h.Will {
		flags |= headerWill
	}
	b = append(b, version<<4|byte(h.Class), flags)
	b = AppendUvarint(b, uint64(h.Stream))
	b = appendU32(b, h.Epoch)
	b = AppendUvarint(b, h.Seq)
	b = AppendUvarint(b, uint64(h.Count))
	if h.Deadline != 0 {
		b = AppendUvarint(b, h.Deadline)
	}
	if h.Key != 0 {
		b = AppendUvarint(b, h.Key)
	}
	return b
}
