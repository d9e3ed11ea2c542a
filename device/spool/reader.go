package spool

import (
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/telepath-iot/telepath/device/disk"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Place is a sample of a stream, up to which everything is known.
type Place struct {
	Epoch uint32 // 0: nothing is known
	Seq   uint64
}

// Query says what to read.
type Query struct {
	Streams map[string]Place // by name, and what is known of each
	Since   time.Duration    // how far back; 0: as far as it goes
}

// Item is what a Reader yields: a batch or a gap.
type Item struct {
	*Description
	Header wire.Header
	Body   []byte   // of the Data frame, header and payload; valid until the next call
	Skip   int      // samples at the batch's front that were known
	Gap    wire.Gap // From 0: it is a batch. To 0: nobody knows how much is missing
}

// Reader reads the log in order, through what is written when it gets there.
// Of each stream every sample comes once, and what is missing is declared,
// also between one run of the program and the next. It is not safe for
// concurrent use.
type Reader struct {
	spool  *Spool
	upTo   uint64 // the last ticket when reading began
	since  time.Duration
	tracks map[string]*track

	file    disk.ReadFile // nil: between segments
	view    view          // of the segment that is read
	scan    *scanner
	keys    map[Key]*Description // described in it so far, of those wanted; others are nil
	pending []Item               // come next
	looked  int                  // bytes of what is not wanted, since something was
}

// track is how far a Reader got in one stream.
type track struct {
	at    Place
	known map[uint32]int // the epochs there were when reading began, and those that were reached since, in their order
}

// Read begins to read. Close has to be called when it is over.
func (s *Spool) Read(q Query) *Reader {
	r := &Reader{spool: s, since: q.Since, tracks: map[string]*track{}}
	for name, place := range q.Streams {
		r.tracks[name] = &track{at: place, known: map[uint32]int{}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wokenLocked()
	r.upTo = s.ticket
	for _, seg := range s.segments {
		for _, sp := range seg.spans {
			if t := r.tracks[sp.Name]; t != nil && t.rank(sp.Epoch) < 0 {
				t.known[sp.Epoch] = len(t.known)
			}
		}
	}
	for _, t := range r.tracks { // who knows some of this run knows all before it, although nothing of it is written yet
		if s.run != 0 && t.at.Epoch == s.run && t.rank(s.run) < 0 {
			t.known[s.run] = len(t.known)
		}
	}
	return r
}

// Settled reports whether nothing that was taken before Read is on its way to the disk any more. A disk that takes its time holds it
// up; one that fails does not, since nobody knows for how long.
func (r *Reader) Settled() bool {
	s := r.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(r.tracks) == 0 || s.inLog >= r.upTo || s.failing || s.ended
}

// Ends are the last samples, by stream's name, of the runs of the program in which the streams got to where reading is. Only runs
// that are over, and said that they ended, have them: behind them nothing is missing.
func (r *Reader) Ends() map[string]Place {
	ends := map[string]Place{}
	for name, t := range r.tracks {
		if last := r.spool.lastOf(name, t.at.Epoch); last > 0 {
			ends[name] = Place{t.at.Epoch, last}
		}
	}
	return ends
}

// Close ends the reading.
func (r *Reader) Close() {
	if r.file != nil {
		r.file.Close() // was only read
		r.file = nil
	}
}

// notYet is how much a Reader looks through until it says that it has found nothing, in bytes: a slow disk reads it in a second.
const notYet = 4 << 20

// ErrNotYet says that a part of the log holds nothing that is wanted.
var ErrNotYet = errors.New("spool: nothing yet")

// Next returns the next item. io.EOF: there is no more now. Other errors are
// those of the disk, or ErrNotYet; the next call goes on behind.
func (r *Reader) Next() (Item, error) {
	if len(r.pending) > 0 {
		item := r.pending[0]
		r.pending = r.pending[1:]
		return item, nil
	}
	for {
		if r.file == nil {
			err := r.advance()
			if errors.Is(err, fs.ErrNotExist) { // it went meanwhile, as the oldest do
				continue
			}
			if err != nil {
				return Item{}, err
			}
		}
		kind, body, err := r.scan.next()
		switch {
		case errors.Is(err, io.EOF):
			if r.grown() {
				continue
			}
			if r.view.open {
				return Item{}, io.EOF
			}
			r.Close()
			continue
		case errors.Is(err, errCorrupt): // what is lost by it shows in the numbers
			r.Close()
			continue
		case err != nil:
			r.Close()
			return Item{}, err
		}
		if item, ok := r.take(kind, body); ok {
			r.looked = 0
			return item, nil
		}
		if r.looked += len(body); r.looked >= notYet {
			r.looked = 0
			return Item{}, ErrNotYet
		}
	}
}

// advance opens the next segment that has something of what is wanted.
func (r *Reader) advance() error {
	view, ok := r.spool.viewAfter(r.view, r.tracks, r.since)
	if !ok {
		return io.EOF
	}
	f, err := r.spool.cfg.FS.Open(view.file())
	if errors.Is(err, fs.ErrNotExist) && !r.spool.holds(view.ids) { // it is in another one by now
		return err
	}
	if r.view = view; err != nil {
		return err
	}
	r.file, r.keys = f, map[Key]*Description{}
	r.scan = newScanner(f, int64(len(head)), view.end)
	return nil
}

// grown looks whether the segment goes on, now that its end is reached.
func (r *Reader) grown() bool {
	had := r.view
	r.view = r.spool.look(had)
	r.scan.limit = r.view.end
	return r.view.end > had.end
}

// take makes an item of a record, if it is wanted.
func (r *Reader) take(kind byte, body []byte) (Item, bool) {
	switch kind {
	case kindStream:
		k, d, err := parseStream(body)
		if err == nil && r.tracks[d.Name] != nil {
			r.keys[k] = &d
		}
	case kindBatch:
		b, err := parseBatch(body)
		if err == nil && b.at >= r.view.cut {
			return r.yield(b.key(), b.header.Seq, b.header.Last(), Item{Header: b.header, Body: b.data})
		}
	case kindGap:
		g, err := wire.ParseGap(body)
		if err == nil && g.To != 0 {
			return r.yield(Key{g.Epoch, g.Stream}, g.From, g.To, Item{Gap: g})
		}
	case kindFinal:
		if f, err := parseFinal(body); err == nil {
			return r.finish(f)
		}
	}
	return Item{}, false
}

// finish is at a stream's last sample of a run: what is missing up to there does not come any more.
func (r *Reader) finish(f final) (Item, bool) {
	d := r.keys[f.Key]
	if d == nil || r.tracks[d.Name].at.Epoch == 0 { // for who knows nothing it begins with what is there
		return Item{}, false
	}
	return r.yield(f.Key, 1, f.seq, Item{Gap: wire.Gap{Stream: f.Stream, Epoch: f.Epoch, From: 1, To: f.seq, Reason: wire.GapSpool}})
}

// yield returns what is not known of an item, or first the gap before it, if there is one.
func (r *Reader) yield(k Key, from, to uint64, item Item) (Item, bool) {
	item.Description = r.keys[k]
	if item.Description == nil {
		return item, false
	}
	t := r.tracks[item.Name]
	if t.passed(k.Epoch, to) {
		return item, false
	}
	items := r.before(item.Description, k, from)
	known := uint64(0) // of from … to
	if k.Epoch == t.at.Epoch && from <= t.at.Seq {
		known = t.at.Seq + 1 - from
	}
	if item.Gap.From != 0 {
		item.Gap.From = from + known
	} else {
		item.Skip = int(known) // less than a batch has
	}
	t.at = Place{k.Epoch, to}
	t.reached(k.Epoch)
	if len(items) > 0 {
		r.pending = append(items[1:], item)
		return items[0], true
	}
	return item, true
}

// before is what is missing of a stream between what is known and an item that begins with seq.
func (r *Reader) before(d *Description, k Key, seq uint64) (items []Item) {
	at := r.tracks[d.Name].at
	missing := func(epoch uint32, from, to uint64, why wire.GapReason) {
		items = append(items, Item{Description: d, Gap: wire.Gap{Stream: k.Stream, Epoch: epoch, From: from, To: to, Reason: why}})
	}
	switch {
	case at.Epoch == 0: // it begins here
		return nil
	case at.Epoch != k.Epoch:
		last := r.spool.lastOf(d.Name, at.Epoch)
		if last == 0 {
			missing(at.Epoch, at.Seq+1, 0, wire.GapRestart)
			return items
		}
		if last > at.Seq {
			missing(at.Epoch, at.Seq+1, last, wire.GapSpool)
		}
		at.Seq = 0
	}
	if seq > at.Seq+1 {
		missing(k.Epoch, at.Seq+1, seq-1, wire.GapSpool)
	}
	return items
}

// rank is an epoch's place in the order of those that there were; -1: it was not there.
func (t *track) rank(epoch uint32) int {
	if n, ok := t.known[epoch]; ok {
		return n
	}
	return -1
}

// reached notes an epoch that began after Read, since what was made before it may come once more: in a segment that was merged.
func (t *track) reached(epoch uint32) {
	if t.rank(epoch) < 0 {
		t.known[epoch] = len(t.known)
	}
}

// passed reports whether everything up to seq of epoch is known.
func (t *track) passed(epoch uint32, seq uint64) bool {
	if epoch == t.at.Epoch {
		return seq <= t.at.Seq
	}
	n := t.rank(epoch) // an epoch that begins after Read comes behind all others
	return n >= 0 && n < t.rank(t.at.Epoch)
}
