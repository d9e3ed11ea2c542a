package kept

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"time"

	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

const (
	// written is what a kill may cost: what a source has read is in a file 100 ms later; as much again is for reading it.
	written = 200 * time.Millisecond
	// A run lives for so long behind its first event, at least and at most.
	shortest = 100 * time.Millisecond
	longest  = 1200 * time.Millisecond

	killedEvery = 5 * time.Millisecond // between two events
	eventSize   = 40                   // bytes of filling
)

// Kills is what came of killing an agent again and again.
type Kills struct {
	Count   int
	Missing int // events that were made more than 200 ms (with slack) before a kill, and are not there
	Torn    int // that were made after that, and are not there, in a gap that is declared
	Verdict ledger.Verdict
}

// Judge says what is wrong, if anything is.
func (k *Kills) Judge() error {
	var errs []error
	if !k.Verdict.OK() {
		errs = append(errs, errors.New(k.Verdict.String()))
	}
	if k.Missing > 0 {
		errs = append(errs, fmt.Errorf("%d events are missing that were made %v before a kill", k.Missing, slack.Of(written)))
	}
	return errors.Join(errs...)
}

// Kill kills an agent (SIGKILL) count times at moments that follow from seed, while it takes 200 events a second. Nobody watches
// meanwhile; a viewer that comes at the end has all of it from the spool.
func Kill(count int, seed uint64, say Say) (*Kills, error) {
	r, end, err := anew()
	if err != nil {
		return nil, err
	}
	defer end()
	k := &killed{Rig: r, chance: rand.New(rand.NewPCG(seed, 0)), must: map[ledger.Sent]bool{}}
	for run := 1; run <= count; run++ {
		if err := k.once(run); err != nil {
			return nil, fmt.Errorf("kill %d of %d: %w", run, count, err)
		}
		if run%20 == 0 {
			say("%d of %d kills", run, count)
		}
	}
	return k.settle(count)
}

// anew is here, with files of its own, until end is called.
func anew() (r *rig.Rig, end func(), err error) {
	dir, remove, err := tidy.Folder("telepath-kept-")
	if err != nil {
		return nil, nil, err
	}
	r, server, err := here(dir)
	if err != nil {
		remove()
		return nil, nil, err
	}
	return r, func() {
		server.Kill()
		remove()
	}, nil
}

// here is a server on this machine, with its files in dir.
func here(dir string) (*rig.Rig, *rig.Server, error) {
	r, err := rig.New(dir)
	if err != nil {
		return nil, nil, err
	}
	addr, err := rig.FreeAddress()
	if err != nil {
		return nil, nil, err
	}
	server, err := r.StartServer(nil, addr)
	return r, server, err
}

// killed is an agent that is killed again and again.
type killed struct {
	*rig.Rig
	chance *rand.Rand
	sent   []ledger.Sent
	must   map[ledger.Sent]bool // made long enough before its kill
}

var linked = regexp.MustCompile(`"linked"`)

func (k *killed) start(args ...string) (*program.Program, error) {
	agent, err := k.StartDevice(nil, device, append([]string{"--source", "stdin"}, args...)...)
	if err != nil {
		return nil, err
	}
	if _, err := agent.WaitFor(linked, starting); err != nil { // from then on it reads at once
		agent.Kill()
		return nil, err
	}
	return agent, nil
}

// once is a run of the agent, and its end.
func (k *killed) once(run int) error {
	agent, err := k.start()
	if err != nil {
		return err
	}
	var made []time.Time
	end := time.Now().Add(shortest + time.Duration(k.chance.Int64N(int64(longest-shortest))))
	for time.Now().Before(end) {
		s := ledger.Sent{Run: run, Number: uint64(len(made) + 1)}
		if err := write(agent, rig.LogStream, "event", s, eventSize); err != nil {
			agent.Kill()
			return err
		}
		k.sent = append(k.sent, s)
		made = append(made, time.Now())
		time.Sleep(killedEvery)
	}
	safe := time.Now().Add(-slack.Of(written))
	agent.Kill()
	for i, at := range made {
		if at.Before(safe) {
			k.must[ledger.Sent{Run: run, Number: uint64(i + 1)}] = true
		}
	}
	return nil
}

// settle looks what is there at the end.
func (k *killed) settle(count int) (*Kills, error) {
	agent, err := k.start()
	if err != nil {
		return nil, err
	}
	defer agent.Kill()
	last := ledger.Sent{Run: count + 1, Number: 1}
	if err := write(agent, rig.LogStream, "event", last, eventSize); err != nil {
		return nil, err
	}
	k.sent = append(k.sent, last)
	viewer, err := view(func(onOutput func(time.Time, []byte)) (*program.Program, error) {
		return k.StartTelepathRaw(nil, onOutput, "view", device, "--json", "--since", "24h")
	})
	if err != nil {
		return nil, err
	}
	defer viewer.Kill()
	_ = until("all that must be there", time.Minute, func() bool { return viewer.lacks(k.must) == 0 }) // what is not is told below
	time.Sleep(2 * time.Second)                                                                        // for duplicates that should not come
	out := &Kills{Count: count, Missing: viewer.lacks(k.must)}
	var book ledger.Book
	for _, s := range k.sent {
		book.Send(s)
	}
	if err := viewer.enter(&book, rig.LogStream, true); err != nil {
		return nil, err
	}
	out.Verdict = book.Close()
	out.Torn = out.Verdict.InGaps
	return out, nil
}

// lacks counts what has not come of the log.
func (v *receiver) lacks(of map[ledger.Sent]bool) (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.streamLocked(rig.LogStream)
	for sent := range of {
		if !s.came[sent] {
			n++
		}
	}
	return n
}
