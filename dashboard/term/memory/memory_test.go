package memory

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

func learned(rung ladder.Rung) peer.Learned {
	return peer.Learned{
		Rung: rung, Until: time.Now().Add(10 * time.Minute).Round(0).UTC(),
		Limits: peer.Limits{Body: 4096, Rest: time.Minute, Until: time.Now().Add(5 * time.Minute).Round(0).UTC()},
		Failed: []peer.Verdict{{Rung: ladder.WS, Failure: carrier.Fail("upgrade-refused", "the answer is 426", nil)}},
	}
}

func TestNextRunRemembers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache", "telepath", "paths.json")
	want := learned(ladder.Poll)
	New(path).Store("here", want)
	got, known := New(path).Load("here")
	if diff := cmp.Diff(want, got); !known || diff != "" {
		t.Errorf("known: %v, %s", known, diff)
	}
	if _, known := New(path).Load("elsewhere"); known {
		t.Error("another network is known")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestItStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "paths.json")
	f := New(path)
	for i := range 2 * maxNetworks {
		l := learned(ladder.SSE)
		l.Until = l.Until.Add(time.Duration(i) * time.Second)
		l.Failed[0].Failure.Detail = strings.Repeat("ü", 10_000)
		f.Store(fmt.Sprint("network ", i), l)
	}
	if n := len(f.read()); n != maxNetworks {
		t.Errorf("%d networks", n)
	}
	if _, known := f.Load(fmt.Sprint("network ", 2*maxNetworks-1)); !known {
		t.Error("the newest is forgotten")
	}
	if info, err := os.Stat(path); err != nil || info.Size() > maxFile/4 {
		t.Errorf("%d bytes, %v", info.Size(), err)
	}
}

func TestBrokenFilesAreEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "paths.json")
	for _, content := range []string{
		"", "null", "[]", "{", `{"here":7}`, `{"here":{"rung":"carrier pigeon"}}`, strings.Repeat(" ", maxFile+1),
		`{"here":{"rung":"poll","until":"2999-01-01T00:00:00Z"}}`,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if l, known := New(path).Load("here"); known && l.Until.After(time.Now()) {
			t.Errorf("%.40q: %+v", content, l)
		}
		New(path).Store("there", learned(ladder.WS))
		if _, known := New(path).Load("there"); !known {
			t.Errorf("%.40q cannot be replaced", content)
		}
	}
	New("").Store("here", learned(ladder.WS)) // no home
	New(filepath.Join(path, "below a file")).Store("here", learned(ladder.WS))
}
