package safety

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"
)

// contend has two operators ask one another for the lease while one or the other has to come again.
func contend(r *Result, _ uint64, say Say) error {
	return within(true, func(w *world) error {
		var both []*watched
		for name, value := range map[string]float64{"Anna": 0.5, "Bert": -0.5} {
			o, err := w.startOperator(order{Name: name, Key: strings.ToLower(name), Value: value})
			if err == nil {
				err = o.Write("contend")
			}
			if err != nil {
				return err
			}
			both = append(both, o)
		}
		if err := w.awaitMoving(time.Now()); err != nil {
			return err
		}
		want := r.Times
		for r.Times = 0; r.Times < want; r.Times++ {
			time.Sleep(r.between(200*time.Millisecond, 1200*time.Millisecond))
			what, err := r.comeAgain(w, both)
			if err != nil {
				return err
			}
			if err := w.awaitMoving(time.Now()); err != nil {
				return fmt.Errorf("after %s: %w", what, err)
			}
			say("%s %d: %s", r.Kind.Name, r.Times+1, what)
		}
		r.fences(both)
		entries, err := w.book.read()
		r.sides(entries)
		return err
	})
}

// comeAgain has one of them, or both, come again.
func (r *Result) comeAgain(w *world, both []*watched) (what string, err error) {
	dark := func(cut, mend string) error {
		if err := w.link(cut)(); err != nil {
			return err
		}
		time.Sleep(r.between(300*time.Millisecond, 1500*time.Millisecond))
		return w.link(mend)()
	}
	switch n := r.chance.IntN(10); {
	case n < 5:
		return "one is loaded again", both[r.chance.IntN(2)].Write("reload")
	case n < 7:
		return "the network was dark", dark("both down", "both up")
	case n < 8:
		return "UDP was dropped", dark("both block=udp", "both block=none")
	case n < 9:
		w.server.Kill()
		return "the server was killed", w.startServer()
	}
	if err := syscall.Kill(w.agent.PID(), syscall.SIGKILL); err != nil {
		return "", err
	}
	return "the agent was killed", w.startAgent()
}

// fences reads what the two were granted: each lease of another key has a greater fence than all before.
func (r *Result) fences(both []*watched) {
	type grant struct {
		at    int64
		who   int
		fence uint64
	}
	var all []grant
	for who, o := range both {
		seen := map[uint64]bool{}
		for _, s := range o.all() {
			if s.Type == "lease" && !seen[s.Fence] {
				seen[s.Fence] = true
				all = append(all, grant{s.At, who, s.Fence})
			}
		}
	}
	slices.SortFunc(all, func(a, b grant) int { return cmp.Compare(a.at, b.at) })
	r.Grants = len(all)
	for i, g := range all {
		if i > 0 && g.fence <= all[i-1].fence {
			r.Fell++
		}
	}
}

// sides looks for two who move it at once: from one's side to the other's it goes through safe.
func (r *Result) sides(entries []entry) {
	side := ""
	for _, e := range entries {
		switch now := strings.TrimRight(e.with, "0123456789."); {
		case e.what == "safe", !e.moves():
			side = ""
		case side != "" && side != "+"+now:
			r.Both++
			side = "+" + now
		default:
			side = "+" + now
		}
	}
}
