package rest

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/signaling/room"
)

// patience is how long a post waits for a place.
const patience = time.Second

// places are those of posts that are being taken: so many in all, and a few of them for each sender, so that no sender's slow
// bodies keep all others out.
type places struct {
	all chan struct{} // holds one for each post

	mu  sync.Mutex
	own map[sender]*share // guarded by mu: of senders that have posts under way
}

// sender is who is told apart before a body is read.
type sender struct {
	network netip.Addr
	name    string // of the device that is posted to, where the network is not told
}

// share is what one sender has of the places.
type share struct {
	taken chan struct{} // holds one for each of its posts
	users int           // guarded by places.mu: its posts that have a place or wait for one
}

func newPlaces() places {
	return places{all: make(chan struct{}, maxPosts), own: make(map[sender]*share)}
}

// enter takes a place for a post, which leave gives back.
func (p *places) enter(ctx context.Context, from sender) (leave func(), no *room.Refusal) {
	ctx, enough := context.WithTimeout(ctx, patience)
	defer enough()
	own := p.join(from)
	if !fill(ctx, own.taken) {
		p.part(from)
		return nil, busy("as many posts of one sender are being taken as the server allows")
	}
	leaveOwn := func() { <-own.taken; p.part(from) }
	if !fill(ctx, p.all) {
		leaveOwn()
		return nil, busy("as many posts are being taken as the server allows")
	}
	return func() { <-p.all; leaveOwn() }, nil
}

// fill reports whether there was room before ctx ended.
func fill(ctx context.Context, taken chan struct{}) bool {
	select {
	case taken <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (p *places) join(from sender) *share {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.own[from]
	if s == nil {
		s = &share{taken: make(chan struct{}, maxOwnPosts)}
		p.own[from] = s
	}
	s.users++
	return s
}

func (p *places) part(from sender) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.own[from]
	if s.users--; s.users == 0 {
		delete(p.own, from)
	}
}
