// Package memory keeps, between one run of a program and the next, which rung
// carried on which network and what it did not bear: in a file of the user's cache. What cannot be read
// or written is forgotten; nothing depends on it but the first second.
package memory

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

const (
	maxFile     = 256 << 10 // bytes of the file that are read
	maxNetworks = 32
	maxDetail   = 200 // bytes kept of what was seen
	maxRestMS   = int64(time.Hour / time.Millisecond)
)

// File is a peer.Memory in a file.
type File struct {
	path string     // set once; empty: nothing is kept
	mu   sync.Mutex // held while the file is read and written
}

// Default is the File of this user.
func Default() *File {
	dir, err := os.UserCacheDir()
	if err != nil {
		return &File{}
	}
	return New(filepath.Join(dir, "telepath", "paths.json"))
}

// New returns the memory in a file, which need not be there.
func New(path string) *File { return &File{path: path} }

// network is what the file has of one network.
type network struct {
	Rung   string    `json:"rung"`
	Until  time.Time `json:"until"`
	Failed []verdict `json:"failed,omitempty"`
	Limits *limits   `json:"limits,omitempty"`
}

type limits struct {
	Body   int       `json:"body,omitempty"`    // bytes
	RestMS int64     `json:"rest_ms,omitempty"` // after which links are cut
	Until  time.Time `json:"until"`
}

type verdict struct {
	Rung   string `json:"rung"`
	Name   string `json:"name"`
	Detail string `json:"detail,omitempty"`
}

// Load implements peer.Memory.
func (f *File) Load(name string) (l peer.Learned, known bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, known := f.read()[name]
	if !known {
		return l, false
	}
	if l.Rung, known = ladder.ParseRung(n.Rung); !known {
		return l, false
	}
	l.Until = believed(n.Until)
	for _, v := range n.Failed {
		if rung, ok := ladder.ParseRung(v.Rung); ok {
			l.Failed = append(l.Failed, peer.Verdict{Rung: rung, Failure: carrier.Fail(v.Name, v.Detail, nil)})
		}
	}
	if known := n.Limits; known != nil && known.Body >= 0 && known.RestMS >= 0 {
		l.Limits = peer.Limits{Body: known.Body, Rest: time.Duration(min(known.RestMS, maxRestMS)) * time.Millisecond, Until: believed(known.Until)}
	}
	return l, true
}

// believed is nothing for longer than peer would say: another clock may have written it.
func believed(until time.Time) time.Time {
	if time.Until(until) > time.Hour {
		return time.Time{}
	}
	return until
}

// Store implements peer.Memory.
func (f *File) Store(name string, l peer.Learned) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := network{Rung: l.Rung.String(), Until: l.Until}
	for _, v := range l.Failed {
		n.Failed = append(n.Failed, verdict{v.Rung.String(), v.Failure.Name, clip(v.Failure.Detail)})
	}
	if known := l.Limits; known != (peer.Limits{}) {
		n.Limits = &limits{Body: known.Body, RestMS: known.Rest.Milliseconds(), Until: known.Until}
	}
	all := f.read()
	all[name] = n
	forget(all)
	f.write(all)
}

func clip(text string) string { return strings.ToValidUTF8(text[:min(len(text), maxDetail)], "") }

// forget leaves out the oldest of too many.
func forget(all map[string]network) {
	if len(all) <= maxNetworks {
		return
	}
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return all[a].Until.Compare(all[b].Until) })
	for _, name := range names[:len(names)-maxNetworks] {
		delete(all, name)
	}
}

// read is what the file holds; a broken file holds nothing.
func (f *File) read() map[string]network {
	all := map[string]network{}
	info, err := os.Stat(f.path)
	if err != nil || info.Size() > maxFile {
		return all
	}
	data, err := os.ReadFile(f.path)
	if err != nil || json.Unmarshal(data, &all) != nil || all == nil {
		return map[string]network{}
	}
	return all
}

// write replaces the file at once, so that no reader sees half of it.
func (f *File) write(all map[string]network) {
	data, err := json.Marshal(all)
	if err != nil || f.path == "" || os.MkdirAll(filepath.Dir(f.path), 0o700) != nil {
		return
	}
	fresh := fmt.Sprintf("%s.%d", f.path, os.Getpid())
	if os.WriteFile(fresh, append(data, '\n'), 0o600) != nil || os.Rename(fresh, f.path) != nil {
		_ = os.Remove(fresh)
	}
}

var _ peer.Memory = (*File)(nil)
