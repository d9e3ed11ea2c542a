package safety

import (
	"fmt"
	"strconv"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
)

// hang is for how long the page does nothing.
const hang = 1200 * time.Millisecond

// hangPage has somebody hold a key at a page that hangs then.
func hangPage(r *Result, _ uint64, say Say) error {
	return within(false, func(w *world) error {
		page, err := w.BrowseReady(w.view, w.server.LoginURL, device, "--hands")
		if page != nil {
			w.closing = append(w.closing, page.Kill)
		}
		if err != nil {
			return err
		}
		if _, _, err := page.Does("click Take control"); err != nil {
			return err
		}
		want := r.Times
		for r.Times = 0; r.Times < want; {
			if err := r.hangOnce(w, page, say); err != nil {
				return err
			}
			if r.Again > want+presses {
				return fmt.Errorf("it did not move at that moment %d times", r.Again)
			}
		}
		return nil
	})
}

// presses is how often a page may have let go of a key itself, since it had no processor.
const presses = 5

func (r *Result) hangOnce(w *world, page *rig.Watcher, say Say) error {
	pressed := time.Now()
	if _, _, err := page.Does("key down ArrowUp"); err != nil {
		return err
	}
	moves := w.book.await("it moves", pressed, 2*time.Second, anyMoves)
	time.Sleep(r.between(100*time.Millisecond, 400*time.Millisecond))
	_, did, err := page.Does(fmt.Sprintf("hang %d", hang.Milliseconds()))
	if err != nil {
		return err
	}
	began, bad := strconv.ParseFloat(string(did.Value), 64)
	if bad != nil {
		return fmt.Errorf("the page does not say when it hung: %w", bad)
	}
	since := time.UnixMicro(int64(began * 1000))
	if _, _, err := page.Does("key up ArrowUp"); err != nil {
		return err
	}
	entries, err := w.book.since(pressed)
	if err != nil {
		return err
	}
	if moves != nil {
		entries = nil
	}
	r.judge(entries, since, w.stood(since), say)
	time.Sleep(300 * time.Millisecond) // the page has let go, and so knows the device
	return nil
}
