package badinput

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/e2e/program"
)

// page is what the login page shows after something was pasted.
type page struct{ Address, Text, Kept string }

// TestPastedTokens: whatever is pasted into the login page is answered, and what is kept in the browser ends by itself.
func TestPastedTokens(t *testing.T) {
	w := newWorld(t)
	p, err := w.Start(nil, program.Spec{Name: "Chromium", Stdin: true, Args: []string{"node", "login.mjs", w.URL}})
	must(t, err)
	endWith(t, "Chromium", p)
	device, viewer := w.token(t, "device"), w.token(t, "viewer")
	for i, c := range []struct{ paste, shows string }{
		{"<img src=x onerror=alert(1)>", "Code: unauthorized"},
		{"日本語", "Code: unauthorized"},
		{strings.Repeat("x", 100_000), "Code: too-large"},
		{device, "Code: forbidden"},
		{" Bearer " + viewer + "\n", "Add a device"},
	} {
		got := paste(t, p, i+1, c.paste)
		if !strings.Contains(got.Text, c.shows) {
			t.Errorf("%.20q: the page shows %s", c.paste, got.Text)
		}
		for _, secret := range []string{device, viewer} {
			if strings.Contains(got.Kept+got.Address, secret) {
				t.Errorf("%.20q: a lasting token is in the address or is kept: %s %s", c.paste, got.Address, got.Kept)
			}
		}
	}
}

// paste hands the n-th text to the page and returns what it shows.
func paste(t *testing.T, p *program.Program, n int, text string) (got page) {
	t.Helper()
	line, err := json.Marshal(text)
	must(t, err)
	must(t, p.Write(string(line)))
	found, err := p.WaitFor(regexp.MustCompile(fmt.Sprintf(`^\{"n":%d,.*\}$`, n)), patience)
	must(t, err)
	must(t, json.Unmarshal([]byte(found[0]), &got))
	return got
}

func (w *world) token(t *testing.T, role string) string {
	t.Helper()
	data, err := os.ReadFile(w.Token(role))
	must(t, err)
	return strings.TrimSpace(string(data))
}
