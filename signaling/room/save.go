package room

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
)

// Store keeps records beyond the life of the server. Its calls may block.
type Store interface {
	Put(ctx context.Context, key string, value []byte) error
	Delete(ctx context.Context, key string) error
}

// Record is what is kept of a device.
type Record struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	Server  string            `json:"server"`             // that it is, or was last, linked to
	State   string            `json:"state"`              // of presence
	SinceMS int64             `json:"since_ms"`           // Unix
	HeardMS int64             `json:"heard_ms"`           // Unix
	Cut     bool              `json:"cut,omitempty"`      // it is offline, and has said no goodbye
	AheadMS int64             `json:"ahead_ms,omitempty"` // its clock, of the server's
	Session uint64            `json:"session"`
	Facts   map[string]string `json:"facts,omitempty"`
}

// ParseRecord reads a stored record.
func ParseRecord(value []byte) (Record, error) {
	var rec Record
	if err := json.Unmarshal(value, &rec); err != nil {
		return rec, fmt.Errorf("a stored device record: %w", err)
	}
	return rec, nil
}

// device is the record's device, offline. One that was online when the server
// stopped was last seen when it was last heard.
func (rec Record) device(now time.Time) *Device {
	d := newDevice(rec.ID)
	d.name, d.facts, d.number = rec.Name, rec.Facts, rec.Session
	d.heard, d.since = time.UnixMilli(rec.HeardMS), time.UnixMilli(rec.SinceMS)
	if rec.State != signal.StateOffline {
		d.since = d.heard
	}
	if rec.mayReturn() {
		d.cut = now
	}
	return d
}

// mayReturn: its device has not said goodbye.
func (rec Record) mayReturn() bool { return rec.Cut || rec.State != signal.StateOffline }

// toRecord needs Room.mu.
func (d *Device) toRecord(server string) Record {
	now := time.Now()
	return Record{
		ID: d.id, Name: d.name, Server: server, State: d.state, Session: d.number, Facts: d.facts,
		SinceMS: unixMilli(d.since, now), HeardMS: unixMilli(d.lastHeard(), now), Cut: !d.cut.IsZero(), AheadMS: d.ahead.Milliseconds(),
	}
}

// Times of saving.
const (
	saveEvery  = 200 * time.Millisecond // changes wait at most this long
	heardEvery = 30 * time.Second       // so exact is last seen after a crash
	saveTime   = 5 * time.Second        // for what is left when the server stops
)

// keepSaving writes what changed, one device after the other, away from
// everything that must not wait for a disk.
func (r *Room) keepSaving(ctx context.Context) {
	if r.cfg.Store == nil {
		<-ctx.Done()
		return
	}
	save, heard := time.NewTicker(saveEvery), time.NewTicker(heardEvery)
	defer save.Stop()
	defer heard.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
			defer cancel()
			r.save(last)
			return
		case <-heard.C:
			r.markOnline()
		case <-save.C:
			r.save(ctx)
		}
	}
}

// markOnline has the devices that are online saved again, for when they were heard.
func (r *Room) markOnline() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.names {
		if d.home == "" {
			r.unsaved[d] = true
		}
	}
}

func (r *Room) save(ctx context.Context) {
	var failed error
	for id, rec := range r.takeUnsaved() {
		if err := r.saveOne(ctx, id, rec); err != nil {
			failed = err
			r.saveLater(id)
		}
	}
	if failed != nil {
		r.cfg.Log.Error("when devices were last seen is not saved, trying again", "err", failed)
	}
}

// takeUnsaved maps ids to records; nil for a device that was removed.
func (r *Room) takeUnsaved() map[string]*Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	records := make(map[string]*Record, len(r.unsaved))
	for d := range r.unsaved {
		known := r.devices[d.id]
		switch {
		case known == nil:
			records[d.id] = nil
		case known.home == "":
			rec := known.toRecord(r.cfg.ID)
			records[d.id] = &rec
		}
	}
	clear(r.unsaved)
	return records
}

func (r *Room) saveOne(ctx context.Context, id string, rec *Record) error {
	if rec == nil {
		return r.cfg.Store.Delete(ctx, id)
	}
	value, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return r.cfg.Store.Put(ctx, id, value)
}

func (r *Room) saveLater(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.devices[id]
	if d == nil { // it was removed: the store is to be told again
		d = newDevice(id)
	}
	r.unsaved[d] = true
}
