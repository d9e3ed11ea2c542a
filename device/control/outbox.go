package control

import "slices"

// maxOutbox bounds what waits to be told, in messages: more than one look of the watch can bring, at a host's full number of
// Conns. It is only reached while whoever tells is held up, and then the oldest goes: all states are told again.
const maxOutbox = 8192

// outbox is what is to be told once Authority.mu is free, in the order in which it was decided. Whoever frees mu tells it, unless
// somebody does already: then it is left to that one. So nobody waits for who tells. That matters for more than haste: what is
// told may run a step of the host's loop in the same goroutine, which may call the Authority again.
type outbox struct {
	messages []func()
	telling  bool // somebody does, and looks again before leaving
	lost     int  // that were dropped
}

func (o *outbox) add(tell func()) {
	if len(o.messages) == maxOutbox {
		o.messages = slices.Delete(o.messages, 0, 1)
		o.lost++
	}
	o.messages = append(o.messages, tell)
}

// unlock frees mu and tells what was decided.
func (a *Authority) unlock() {
	if a.outbox.telling {
		a.mu.Unlock()
		return
	}
	a.outbox.telling = true
	for len(a.outbox.messages) > 0 {
		a.tellAndLock()
	}
	a.outbox.telling = false
	a.mu.Unlock()
}

// tellAndLock is called with mu held, and holds it again when it returns.
func (a *Authority) tellAndLock() {
	out, lost := a.outbox.messages, a.outbox.lost
	a.outbox.messages, a.outbox.lost = nil, 0
	a.mu.Unlock()
	defer a.mu.Lock()
	for _, tell := range out {
		tell()
	}
	if lost > 0 {
		a.cfg.Log.Warn("telling what was decided took too long: the oldest was left out", "messages", lost)
	}
}

// unlockUntold frees mu for who must not tell, since it holds what telling may need, and leaves it to the watch.
func (a *Authority) unlockUntold() {
	waits := len(a.outbox.messages) > 0
	a.mu.Unlock()
	if waits {
		a.wake()
	}
}
