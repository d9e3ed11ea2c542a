package main

import (
	"testing"
	"testing/synctest"
	"time"
)

// A link that is bad for a while is perfect again afterwards, counted from the last time that somebody asked.
func TestBadForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &Emulator{a2b: testLink(t, "rate=1mbit"), b2a: testLink(t, "")}
		does := func(command string) {
			t.Helper()
			if _, err := e.Do(command); err != nil {
				t.Fatal(err)
			}
		}
		is := func(want Conditions) {
			t.Helper()
			for _, l := range []*Link{e.a2b, e.b2a} {
				if got := l.Conditions(); got != want {
					t.Errorf("got %+v\nwant %+v", got, want)
				}
			}
		}
		does("for 5m delay=50ms loss=5%")
		is(Conditions{Delay: 50 * time.Millisecond, Loss: 0.05})
		time.Sleep(3 * time.Minute)
		does("for 5m loss=1%")
		time.Sleep(4 * time.Minute)
		is(Conditions{Loss: 0.01})
		time.Sleep(time.Minute + time.Second)
		is(Conditions{})
		for _, bad := range []string{"for", "for ever loss=1%", "for 5m loss=200%"} {
			if _, err := e.Do(bad); err == nil {
				t.Errorf("%q: no error", bad)
			}
		}
		is(Conditions{})
	})
}
