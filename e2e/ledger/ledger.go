// Package ledger compares what was sent with what was delivered, knowing nothing of the product: not its sessions, not its
// acknowledgements. It works from numbered, checksummed texts and from the sequence numbers that the receiver was shown.
//
// The judgement: every event that was sent after the receiver stood ready is delivered exactly once, in order and unharmed,
// or lies in a gap that was declared. A gap that covers something delivered is a false one.
package ledger

import (
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// Sent is an event the producer made. Events of one run are numbered from 1, as the product numbers an epoch.
type Sent struct {
	Run    int // which start of the producer
	Number uint64
}

// Text is what travels: "RUN NUMBER CHECKSUM filling".
func (s Sent) Text(size int) string {
	body := fmt.Sprintf("%d %d ", s.Run, s.Number)
	filling := strings.Repeat("abcdefghijklmnopqrstuvwxyz", size/26+1)[:max(size, 0)]
	return fmt.Sprintf("%s%08x %s", body, crc32.ChecksumIEEE([]byte(body+filling)), filling)
}

// Parse reads a Text back; an error says how it was harmed.
func Parse(text string) (Sent, error) {
	fields := strings.SplitN(text, " ", 4)
	if len(fields) != 4 {
		return Sent{}, fmt.Errorf("%.40q is no entry", text)
	}
	run, err := strconv.Atoi(fields[0])
	if err != nil {
		return Sent{}, fmt.Errorf("%.40q has no run", text)
	}
	number, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		return Sent{}, fmt.Errorf("%.40q has no number", text)
	}
	s := Sent{run, number}
	if s.Text(len(fields[3])) != text {
		return Sent{}, fmt.Errorf("%.40q does not match its checksum", text)
	}
	return s, nil
}

// Delivered is an event that the receiver's application saw, in the order it saw them.
type Delivered struct {
	Epoch string
	Seq   uint64
	Text  string
}

// Gap is what the receiver was told will never come. To is inclusive.
type Gap struct {
	Epoch    string
	From, To uint64
}

// Book collects both sides. It is not safe for concurrent use.
type Book struct {
	sent      []Sent
	delivered []Delivered
	gaps      []Gap
}

// Send notes an event as made; it counts from now on.
func (b *Book) Send(s Sent) { b.sent = append(b.sent, s) }

// Deliver notes an event as seen.
func (b *Book) Deliver(d Delivered) { b.delivered = append(b.delivered, d) }

// Declare notes a gap as told.
func (b *Book) Declare(g Gap) { b.gaps = append(b.gaps, g) }

// Verdict is the result. Faults is empty if all is well; it names at most maxFaults.
type Verdict struct {
	Sent, Delivered, Lost, InGaps, Twice, Phantom, Disorder, Harmed, FalseGaps int
	Faults                                                                     []string
}

const maxFaults = 20

// OK says whether every event was delivered once, in order, unharmed, or honestly declared as lost.
func (v Verdict) OK() bool { return len(v.Faults) == 0 }

func (v Verdict) String() string {
	s := fmt.Sprintf("%d sent, %d delivered, %d in declared gaps, %d lost, %d twice, %d out of order, %d harmed, %d never sent, %d in false gaps",
		v.Sent, v.Delivered, v.InGaps, v.Lost, v.Twice, v.Disorder, v.Harmed, v.Phantom, v.FalseGaps)
	for _, fault := range v.Faults {
		s += "\n  " + fault
	}
	return s
}

// Close compares the two sides.
func (b *Book) Close() Verdict {
	c := closing{epochs: map[string]int{}, seen: map[Sent]bool{}, known: map[Sent]bool{}, newest: map[int]uint64{}}
	c.v.Sent, c.v.Delivered = len(b.sent), len(b.delivered)
	for _, s := range b.sent {
		c.known[s] = true
	}
	for _, d := range b.delivered {
		c.deliver(d)
	}
	for _, g := range b.gaps {
		c.checkGap(g)
	}
	for _, s := range b.sent {
		c.checkSent(s, b.gaps)
	}
	return c.v
}

// closing is the state of one Close.
type closing struct {
	v      Verdict
	epochs map[string]int // epoch → run, learnt from what was delivered
	known  map[Sent]bool  // sent
	seen   map[Sent]bool  // delivered
	newest map[int]uint64 // run → highest number delivered
}

func (c *closing) fault(count *int, format string, args ...any) {
	*count++
	if len(c.v.Faults) < maxFaults {
		c.v.Faults = append(c.v.Faults, fmt.Sprintf(format, args...))
	}
}

func (c *closing) deliver(d Delivered) {
	s, err := Parse(d.Text)
	if err != nil {
		c.fault(&c.v.Harmed, "harmed: %s:%d: %v", d.Epoch, d.Seq, err)
		return
	}
	if s.Number != d.Seq {
		c.fault(&c.v.Harmed, "harmed: number %d of run %d came as %s:%d", s.Number, s.Run, d.Epoch, d.Seq)
	}
	if run, ok := c.epochs[d.Epoch]; ok && run != s.Run {
		c.fault(&c.v.Harmed, "harmed: epoch %s has events of runs %d and %d", d.Epoch, run, s.Run)
	}
	c.epochs[d.Epoch] = s.Run
	switch {
	case !c.known[s]:
		c.fault(&c.v.Phantom, "never sent: run %d number %d", s.Run, s.Number)
	case c.seen[s]:
		c.fault(&c.v.Twice, "twice: run %d number %d", s.Run, s.Number)
	case s.Number < c.newest[s.Run]:
		c.fault(&c.v.Disorder, "out of order: run %d number %d after %d", s.Run, s.Number, c.newest[s.Run])
	}
	c.seen[s] = true
	c.newest[s.Run] = max(c.newest[s.Run], s.Number)
}

func (c *closing) checkGap(g Gap) {
	for s := range c.seen {
		if c.covers(g, s) {
			c.fault(&c.v.FalseGaps, "false gap: %s:%d–%d covers number %d, which was delivered", g.Epoch, g.From, g.To, s.Number)
		}
	}
}

func (c *closing) checkSent(s Sent, gaps []Gap) {
	if c.seen[s] {
		return
	}
	for _, g := range gaps {
		if c.covers(g, s) {
			c.v.InGaps++
			return
		}
	}
	c.fault(&c.v.Lost, "lost: run %d number %d", s.Run, s.Number)
}

func (c *closing) covers(g Gap, s Sent) bool {
	run, known := c.epochs[g.Epoch]
	return known && run == s.Run && g.From <= s.Number && s.Number <= g.To
}
