// Package rest is for whoever has no client of ours, a shell script for
// example (docs/protocol.md, section 8). It shows what is retained of a device,
// and publishes what is posted under a device's name.
//
//	POST samples ─► device ─ peer.Host ══ link within the process ══ room ─► viewers
//	GET latest   ◄─ what the room retains
//
// A name that is posted to has a device here, which is linked to this server
// like any other: the same limits, presence, retained values, classes, rings
// and resumes, because it is the same code. It ends when nothing was posted
// for too long.
//
// This is the server's edge, and the one part of it that reads and writes
// payloads (invariant I6): it stands for a device and for a screen. What it
// publishes and shows goes through the relay unread, like anybody's.
package rest

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/signaling/room"
)

// Limits of this package.
const (
	maxBody     = 1 << 20 // bytes of a post
	maxPosts    = 32      // that are read and taken at once: so many bodies are in memory
	maxOwnPosts = 4       // of these, that one sender has: one that is slow has each for 10 s
	maxParsing  = 4       // that are parsed at once, which may take 50 bytes for each of a body
	maxDevices  = 256     // that post; each holds up to 4 MiB of Events
)

// Config of a Rest. All fields but Log are required.
type Config struct {
	Room *room.Room

	// Key is the identity of the device that posts under a name.
	Key func(name string) ed25519.PrivateKey

	// Link serves the server's end of a device's link until it is over.
	Link func(end carrier.Carrier)

	// Network is where a post comes from, all senders in which share a few places. The zero Addr: that is not told, or may have
	// any number of senders, of whom each device's count by themselves.
	Network func(req *http.Request) netip.Addr

	Log *slog.Logger // default: discards
}

// Rest answers requests. Its methods are safe for concurrent use.
type Rest struct {
	cfg     Config
	places  places
	parsing chan struct{} // a place for each that is being parsed
	answers answers
	counts  counts
	tasks   sync.WaitGroup // of devices

	mu      sync.Mutex
	devices map[string]*device // guarded by mu; by name
	closed  bool               // guarded by mu
}

// New makes a Rest that has no device yet.
func New(cfg Config) *Rest {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Rest{
		cfg: cfg, places: newPlaces(), parsing: make(chan struct{}, maxParsing), devices: make(map[string]*device),
		answers: answers{byKey: make(map[string]*answer)},
	}
}

// Run keeps devices until ctx ends. They say goodbye then, when those who
// watch them have what was posted, or within two seconds.
func (r *Rest) Run(ctx context.Context) error {
	<-ctx.Done()
	r.mu.Lock()
	r.closed = true
	for _, d := range r.devices {
		d.stop()
	}
	r.mu.Unlock()
	r.tasks.Wait()
	return ctx.Err()
}

func busy(reason string) *room.Refusal {
	return &room.Refusal{Code: "too-many", Reason: reason, Remedy: "post again in a while"}
}

func malformed(reason string) *room.Refusal {
	return &room.Refusal{Code: "malformed", Reason: reason, Remedy: "see docs/protocol.md, section 8"}
}
