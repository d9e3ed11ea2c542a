package peer

import (
	"maps"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/ladder"
)

// Memory keeps, for each network, which rung carried a link and what it does not
// bear, so that the next link there begins with that. It is safe for concurrent use.
type Memory interface {
	// Load returns what was learned on a network, also what is out of date.
	Load(network string) (l Learned, known bool)
	Store(network string, l Learned)
}

// Learned is what is known of the way to a server on one network.
type Learned struct {
	Rung   ladder.Rung // of the link
	Failed []Verdict   // of better rungs; what is wrong with this one though it carries
	Until  time.Time   // when the better ones are to be tried again
	Limits Limits
}

// Limits are what something between does not let through. The zero value is that nothing is known.
type Limits struct {
	Body  int           // larger requests are refused, bytes; 0: not known
	Rest  time.Duration // links that rest longer are cut; 0: not known
	Until time.Time     // when that is forgotten
}

// at are those that are still believed.
func (l Limits) at(now time.Time) Limits {
	if now.Before(l.Until) {
		return l
	}
	return Limits{}
}

// How long is believed what was learned (docs/protocol.md, section 6.8).
const (
	memoryTime = 10 * time.Minute
	// doubtTime is for a link that was faster than a better one which had not
	// failed yet: that may have been chance.
	doubtTime = 30 * time.Second
)

// maxNetworks bounds what a process remembers.
const maxNetworks = 32

// processMemory is the Memory of those who bring none.
type processMemory struct {
	mu    sync.Mutex
	known map[string]Learned
}

// Load implements Memory.
func (m *processMemory) Load(network string) (l Learned, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, known = m.known[network]
	return l, known
}

// Store implements Memory.
func (m *processMemory) Store(network string, l Learned) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = map[string]Learned{}
	}
	if len(m.known) >= maxNetworks {
		now := time.Now()
		maps.DeleteFunc(m.known, func(_ string, old Learned) bool { return old.Until.Before(now) })
	}
	if len(m.known) >= maxNetworks {
		clear(m.known)
	}
	m.known[network] = l
}
