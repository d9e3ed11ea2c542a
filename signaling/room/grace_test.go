package room

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
)

// TestGrace: who was cut may come back by itself for a while, also after the server began anew. Who said goodbye is not expected.
func TestGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{kept: map[string]Record{}}
		r := New(Config{ID: "a", Store: store}, nil)
		run(t, r)
		linked, _ := join(t, r, hello("linked", time.Minute))
		cut, _ := join(t, r, hello("cut", time.Minute))
		left, _ := join(t, r, hello("left", time.Minute))
		cut.End(Cut)
		left.Handle(signalFrame(t, 0, signal.Message{Type: signal.Bye}), time.Now())
		left.End(Cut)
		expect := func(r *Room, after string, want ...time.Duration) {
			t.Helper()
			for i, d := range r.Devices() { // by name
				if got := time.Duration(d.GraceMS) * time.Millisecond; got != want[i] {
					t.Errorf("%s: %s has a grace of %v, want %v", after, d.Name, got, want[i])
				}
			}
		}
		expect(r, "at once", graceTime, 0, 0)
		time.Sleep(4 * time.Second)
		expect(r, "4 s later", graceTime-4*time.Second, 0, 0)
		time.Sleep(time.Minute)
		expect(r, "long after", 0, 0, 0)

		var records []Record
		for _, s := range []*Session{linked, cut, left} {
			rec, ok := store.get(s.ID())
			if !ok {
				t.Fatal("not kept: ", s.ID())
			}
			records = append(records, rec)
		}
		again := New(Config{ID: "a"}, records)
		expect(again, "started again", graceTime, 0, graceTime)
		elsewhere := New(Config{ID: "b"}, nil)
		for _, rec := range records {
			elsewhere.Learn(rec)
		}
		expect(elsewhere, "at a server that does not hear from their home yet", graceTime, 0, graceTime)
		elsewhere.SetAlive("a", true)
		expect(elsewhere, "at one that does", graceTime, 0, 0)
		back, _ := join(t, again, hello("cut", time.Minute))
		expect(again, "back", 0, 0, graceTime)
		back.Handle(signalFrame(t, 0, signal.Message{Type: signal.Bye}), time.Now())
		back.End(Cut)
		expect(again, "back and gone", 0, 0, graceTime)
	})
}
