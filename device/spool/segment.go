package spool

import (
	"errors"
	"io"
	"time"

	"github.com/telepath-iot/telepath/device/disk"
)

// segment is one file of the log.
type segment struct {
	ids
	size int64 // bytes on the disk
	contents
	began   time.Duration // on the spool's clock; of an earlier run: no later than when the one before was written last
	wrote   time.Duration // when it was written last; before the start of this run: negative
	durable contents      // what of contents a power cut leaves; of the one that is written
	spoilt  bool          // not all of it can be read, or it is not of this version
}

// errForeign: a file that is called like a segment and is none of this version.
var errForeign = errors.New("spool: no segment of this version")

// load reads what is in a segment: its footer, or, where that is not there (cut), all of it.
func load(fs disk.FS, e disk.Entry) (c contents, cut bool, err error) {
	f, err := fs.Open(e.Name)
	if err != nil {
		return c, false, err
	}
	defer f.Close()
	first, err := readAt(f, 0, len(head))
	switch {
	case errors.Is(err, io.EOF): // cut off before anything was in it
		return contents{end: 0}, false, nil
	case err != nil:
		return c, false, err
	case string(first) != head:
		return c, false, errForeign
	}
	if c, err = loadFooter(f, e.Size); err == nil {
		return c, false, nil
	}
	c, err = scan(f, e.Size)
	return c, err == nil, err
}

func loadFooter(f io.ReaderAt, size int64) (c contents, err error) {
	if size < int64(len(head)+trailerSize) {
		return c, errCut
	}
	b, err := readAt(f, size-trailerSize, trailerSize)
	if err != nil {
		return c, err
	}
	at, ok := parseTrailer(b, size)
	if !ok || size-trailerSize-at > maxFooter+recordHead {
		return c, errCorrupt
	}
	if b, err = readAt(f, at, int(size-trailerSize-at)); err != nil {
		return c, err
	}
	kind, body, _, err := nextRecord(b, maxFooter)
	if err != nil {
		return c, err
	}
	if c, err = parseFooter(body); err != nil || kind != kindFooter || c.end > at || c.end < int64(len(head)) {
		return contents{}, errCorrupt
	}
	return c, nil
}

func readAt(f io.ReaderAt, at int64, n int) ([]byte, error) {
	b := make([]byte, n)
	if got, err := f.ReadAt(b, at); got < n {
		return nil, err
	}
	return b, nil
}
