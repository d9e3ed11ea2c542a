package spool

import (
	"errors"
	"io"
)

// scanBuffer is how much of a segment is read at once, in bytes; a record fits.
const scanBuffer = 64 << 10

// scanner reads the records of a file one by one.
type scanner struct {
	file  io.ReaderAt
	at    int64 // of the first byte of buf
	limit int64 // where the records end
	buf   []byte
	used  int // of buf
}

func newScanner(f io.ReaderAt, from, limit int64) *scanner {
	return &scanner{file: f, at: from, limit: limit}
}

// offset is where the next record begins.
func (s *scanner) offset() int64 { return s.at + int64(s.used) }

// next reads a record; body is valid until the next call. io.EOF: the records
// end here, in the middle of one perhaps. errCorrupt: what is here is none.
// Others come from the file.
func (s *scanner) next() (kind byte, body []byte, err error) {
	for {
		kind, body, size, err := nextRecord(s.buf[s.used:], maxRecord)
		if !errors.Is(err, errCut) {
			s.used += size
			return kind, body, err
		}
		if s.offset()+int64(size) > s.limit {
			return 0, nil, io.EOF
		}
		if err := s.fill(size); err != nil {
			return 0, nil, err
		}
	}
}

// fill reads on until at least size bytes lie in front.
func (s *scanner) fill(size int) error {
	s.at += int64(s.used)
	kept := copy(s.buf[:cap(s.buf)], s.buf[s.used:])
	if cap(s.buf) < scanBuffer {
		s.buf = append(make([]byte, 0, scanBuffer), s.buf[:kept]...)
	}
	s.buf, s.used = s.buf[:kept], 0
	want := min(int64(scanBuffer), s.limit-s.at)
	n, err := s.file.ReadAt(s.buf[kept:want], s.at+int64(kept))
	s.buf = s.buf[:kept+n]
	switch {
	case len(s.buf) >= size:
		return nil
	case err == nil:
		return io.ErrUnexpectedEOF
	}
	return err
}

// scan reads a segment that has no footer, up to its last whole record.
func scan(f io.ReaderAt, size int64) (c contents, err error) {
	s := newScanner(f, int64(len(head)), size)
	c.end = s.offset()
	for {
		kind, body, err := s.next()
		if err == nil {
			err = c.take(kind, body)
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, errCorrupt):
			return c, nil
		case err != nil:
			return c, err
		}
		c.end = s.offset()
	}
}

// take adds what a record says.
func (c *contents) take(kind byte, body []byte) error {
	switch kind {
	case kindStream:
		k, d, err := parseStream(body)
		if err != nil {
			return errCorrupt
		}
		c.describe(k, &d)
	case kindBatch:
		b, err := parseBatch(body)
		if err != nil {
			return errCorrupt
		}
		c.add(b.key(), b.at, b.header.Seq, b.header.Last())
	case kindEnd:
		epoch, err := parseEnd(body)
		if err != nil {
			return errCorrupt
		}
		c.ended = append(c.ended, epoch)
	case kindFinal:
		f, err := parseFinal(body)
		if err != nil {
			return errCorrupt
		}
		c.finish(f.Key, f.seq)
	case kindFooter: // whose trailer is not there
		return io.EOF
	}
	return nil
}

func (b batch) key() Key { return Key{b.header.Epoch, b.header.Stream} }
