package rest

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnswersAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := answers{byKey: make(map[string]*answer)}
		for i := range 1000 {
			a, mine, no := as.begin(t.Context(), "d", fmt.Sprint(i), time.Now())
			if !mine || no != nil {
				t.Fatal(i, no)
			}
			as.finish(a, reply{200, make([]byte, i)}, i%2 == 0)
			time.Sleep(time.Second)
		}
		if n := len(as.byKey); n != 300 || len(as.oldest) != 300 {
			t.Errorf("%d, %d are known: want those of 10 min, without what was not decided", n, len(as.oldest))
		}
		if a, mine, _ := as.begin(t.Context(), "d", "998", time.Now()); mine || len(a.reply.body) != 998 {
			t.Errorf("the newest is not known")
		}
		time.Sleep(answerLife)
		as.expireLocked(time.Now())
		if as.bytes != 0 || len(as.share) != 0 || len(as.byKey) != 0 || len(as.oldest) != 0 {
			t.Errorf("%d bytes are left, %v, %d", as.bytes, as.share, len(as.byKey))
		}
	})
}

// TestAnswersAreBounded: one device cannot take the room of all.
func TestAnswersAreBounded(t *testing.T) {
	as := answers{byKey: make(map[string]*answer)}
	fill := func(device string) (n int) {
		for {
			a, _, no := as.begin(t.Context(), device, fmt.Sprint(n), time.Now())
			if no != nil {
				if no.Code != "rate-limited" {
					t.Fatal(no)
				}
				return n
			}
			as.finish(a, reply{200, []byte(strings.Repeat("x", 10_000))}, true)
			n++
		}
	}
	share := answerBytes / answerShare / 10_000
	for _, device := range []string{"a", "b", "c", "d"} {
		if n := fill(device); n < share*9/10 || n > share {
			t.Errorf("%s has %d answers, its share is %d", device, n, share)
		}
	}
	if n := fill("e"); n > share/10 || as.bytes > answerBytes+answerBytes/100 {
		t.Errorf("%d more, %d bytes in all", n, as.bytes)
	}
}

// TestNextOneTries: who waits for a post that comes to nothing tries itself.
func TestNextOneTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		as := answers{byKey: make(map[string]*answer)}
		first, _, _ := as.begin(t.Context(), "d", "k", time.Now())
		tries := make(chan bool, 2)
		for range 2 {
			go func() {
				a, mine, _ := as.begin(t.Context(), "d", "k", time.Now())
				tries <- mine
				if mine {
					as.finish(a, reply{status: 200}, true)
				}
			}()
		}
		synctest.Wait()
		as.finish(first, reply{}, false)
		if a, b := <-tries, <-tries; a == b {
			t.Errorf("one of two tries, and the other gets its answer: %v, %v", a, b)
		}
	})
}
