// Package kept tries what a device keeps on its disk for who was not there: the agent is killed again and again, started with a
// full spool, given a disk that is full or fails, and parted from its server for minutes. What a viewer in a terminal then gets is
// held against the independent ledger.
package kept

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

const (
	device   = "board"
	starting = 30 * time.Second
)

// Say is told how it goes.
type Say func(format string, args ...any)

// arrival is a sample that the viewer printed. There may be a million: they have no pointers, which the collector of this
// program's memory would follow all the time, while those that are measured wait for a processor.
type arrival struct {
	sent   ledger.Sent
	at     int64   // Unix microseconds
	made   float64 // Unix seconds
	epoch  int     // which of received.epochs
	seq    uint64
	size   int // of the text's filling
	harmed int // which of received.harmed, from 1; 0: its text is sent's
	past   bool
}

// receiver keeps what a viewer prints, in less room than all of its lines take.
type receiver struct {
	*program.Program
	read backlog

	mu      sync.Mutex
	streams map[string]*received // guarded by mu
	paths   []string             // guarded by mu; the rungs that it named
	bad     string               // guarded by mu; a line that is none
}

type received struct {
	arrivals []arrival
	epochs   []string
	harmed   []string // texts of what was harmed
	gaps     []ledger.Gap
	came     map[ledger.Sent]bool
	run      int    // that whole is of
	whole    uint64 // of that run everything up to this one came
}

// view starts `telepath view --json`.
func view(start func(onOutput func(time.Time, []byte)) (*program.Program, error)) (*receiver, error) {
	v := &receiver{streams: map[string]*received{}}
	var err error
	if v.Program, err = start(v.read.add); err == nil {
		go v.read.run(v.line, v.Ended())
	}
	return v, err
}

// printed is what counts of a line.
type printed struct {
	Type, Stream, Epoch, Path string
	Seq, From, To             uint64
	T                         float64
	Value                     json.RawMessage
	Past, Retained            bool
}

// backlog keeps output until it is taken apart, so that no program waits for that.
type backlog struct {
	mu   sync.Mutex
	read []chunk   // guarded by mu, like all below
	busy bool      // some is being taken apart
	held bool      // none is
	rest []byte    // of the output, a line that has begun; owned by run
	past uint64    // samples of the past that came
	at   time.Time // the last of them
	seam []byte    // the last bytes
}

// chunk is output that was read at once.
type chunk struct {
	at   time.Time
	text []byte
}

// pastMark is in each sample of the past.
var pastMark = []byte(`"past":true}`)

func (b *backlog) add(at time.Time, output []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read = append(b.read, chunk{at, bytes.Clone(output)})
	most := len(pastMark) - 1 // that may be of a mark at either side of a seam
	seam := append(b.seam, output[:min(len(output), most)]...)
	if n := bytes.Count(output, pastMark) + bytes.Count(seam, pastMark); n > 0 {
		b.past, b.at = b.past+uint64(n), at
	}
	if len(output) > most {
		seam = append(seam, output[len(output)-most:]...)
	}
	b.seam = append(b.seam[:0], seam[max(0, len(seam)-most):]...)
}

// hold leaves output as it is for a while: to take tens of thousands of lines a second apart needs the processors that are measured.
func (b *backlog) hold(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = on
}

// came reports whether so many samples of the past did, or no more of them do.
func (b *backlog) came(count uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.past >= count || b.past > 0 && time.Since(b.at) > 2*time.Second
}

func (b *backlog) take() []chunk {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held {
		return nil
	}
	read := b.read
	b.read, b.busy = nil, len(read) > 0
	return read
}

func (b *backlog) empty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.busy && len(b.read) == 0
}

// run takes lines apart until the program has ended and there are none.
func (b *backlog) run(each func(at time.Time, line []byte), ended <-chan struct{}) {
	for over := false; !over; {
		select {
		case <-ended:
			over = true
		case <-time.After(10 * time.Millisecond):
		}
		for read := b.take(); len(read) > 0; read = b.take() {
			for _, c := range read {
				b.split(c, each)
			}
		}
	}
}

// split hands the lines of a chunk on; the time of one that goes over two is that of its end.
func (b *backlog) split(c chunk, each func(at time.Time, line []byte)) {
	for {
		line, after, found := bytes.Cut(c.text, []byte{'\n'})
		b.rest = append(b.rest, line...)
		if !found {
			return
		}
		each(c.at, b.rest)
		b.rest, c.text = b.rest[:0], after
	}
}

func (v *receiver) line(at time.Time, line []byte) {
	var e printed
	err := json.Unmarshal(line, &e)
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case err != nil:
		v.bad = string(line)
	case e.Type == "path":
		v.paths = append(v.paths, e.Path)
	case e.Type == "gap":
		if e.To == 0 {
			e.To = math.MaxUint64
		}
		s := v.streamLocked(e.Stream)
		s.gaps = append(s.gaps, ledger.Gap{Epoch: e.Epoch, From: e.From, To: e.To})
	case e.Type == "sample" && !e.Retained:
		v.streamLocked(e.Stream).take(e, at.UnixMicro())
	}
}

func (v *receiver) streamLocked(name string) *received {
	s := v.streams[name]
	if s == nil {
		s = &received{came: map[ledger.Sent]bool{}}
		v.streams[name] = s
	}
	return s
}

// take notes a sample. One that is harmed is noted as well, for the ledger to find.
func (s *received) take(e printed, at int64) {
	a := arrival{at: at, made: e.T, epoch: slices.Index(s.epochs, e.Epoch), seq: e.Seq, past: e.Past}
	if a.epoch < 0 {
		a.epoch, s.epochs = len(s.epochs), append(s.epochs, e.Epoch)
	}
	text := rig.Event{Value: e.Value}.String()
	var err error
	if a.sent, err = ledger.Parse(text); err != nil {
		s.harmed = append(s.harmed, text)
		a.harmed = len(s.harmed)
	}
	a.size = len(text) - len(a.sent.Text(0))
	s.arrivals = append(s.arrivals, a)
	s.came[a.sent] = true
	if a.sent.Run > s.run {
		s.run, s.whole = a.sent.Run, 0
	}
	s.advance()
}

// text is what came.
func (s *received) text(a arrival) string {
	if a.harmed > 0 {
		return s.harmed[a.harmed-1]
	}
	return a.sent.Text(a.size)
}

func (s *received) advance() {
	for s.came[ledger.Sent{Run: s.run, Number: s.whole + 1}] {
		s.whole++
	}
}

// countFrom leaves aside what of the live streams is missing up to a number.
func (v *receiver) countFrom(number uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range Streams {
		s := v.streamLocked(liveName(i))
		s.whole = max(s.whole, number)
		s.advance()
	}
}

// has reports whether an entry came.
func (v *receiver) has(stream string, sent ledger.Sent) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.streamLocked(stream).came[sent]
}

// whole is up to where everything of a run came.
func (v *receiver) whole(stream string, run int) uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s := v.streams[stream]; s != nil && s.run == run {
		return s.whole
	}
	return 0
}

// any reports whether something came that is as wanted.
func (v *receiver) any(stream string, wanted func(arrival) bool) (arrival, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.streams[stream]
	if s == nil {
		return arrival{}, false
	}
	i := slices.IndexFunc(s.arrivals, wanted)
	if i < 0 {
		return arrival{}, false
	}
	return s.arrivals[i], true
}

// enter puts down what came of a stream. inOrder: as it came; else, for Live, whose order is not promised, by number.
func (v *receiver) enter(book *ledger.Book, stream string, inOrder bool) error {
	if err := until("end of what was printed", starting, v.read.empty); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.bad != "" {
		return fmt.Errorf("the viewer said %.200s", v.bad)
	}
	s := v.streams[stream]
	if s == nil {
		return fmt.Errorf("nothing of %s came", stream)
	}
	arrivals := slices.Clone(s.arrivals)
	if !inOrder {
		slices.SortStableFunc(arrivals, func(a, b arrival) int { return int(int64(a.sent.Number) - int64(b.sent.Number)) })
	}
	for _, a := range arrivals {
		book.Deliver(ledger.Delivered{Epoch: s.epochs[a.epoch], Seq: a.seq, Text: s.text(a)})
	}
	for _, g := range s.gaps {
		book.Declare(g)
	}
	return nil
}

// until waits until something is so.
func until(what string, within time.Duration, so func() bool) error {
	for end := time.Now().Add(within); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("no %s within %v", what, within)
		}
	}
	return nil
}

// write has a device publish an entry of the ledger.
func write(p *program.Program, stream, class string, s ledger.Sent, size int) error {
	line, err := json.Marshal(map[string]any{"stream": stream, "class": class, "value": s.Text(size)})
	if err != nil {
		return err
	}
	return p.Write(string(line))
}
