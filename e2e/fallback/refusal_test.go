package fallback

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// refusal is a network that lets nothing through, and has a reason that the user must be told.
type refusal struct {
	name    string
	cross   func(t *testing.T, c *cell) way
	failure []string // any of these names
}

var refusals = []refusal{
	{name: "TLS intercepted, not trusted", cross: distrusted, failure: []string{"tls-intercepted", "tls-untrusted"}},
	{name: "squid, no password", cross: squidWith(basic, ""), failure: []string{"proxy-auth-required"}},
	{name: "squid, wrong password, Basic", cross: wrongPassword(basic), failure: []string{"proxy-auth-wrong"}},
	{name: "squid, wrong password, Digest", cross: wrongPassword(digest), failure: []string{"proxy-auth-wrong"}},
	{name: "squid, NTLM", cross: squidWith(ntlm, rig.ProxyCredentials), failure: []string{"proxy-auth-unsupported"}},
	{name: "squid, CONNECT to 443 only", cross: squidWith(only443, ""), failure: []string{"proxy-443-only"}},
}

// programs are those whose user reads what they print.
var programs = []struct {
	name, host string
	start      func(t *testing.T, c *cell, w way) *program.Program
}{
	{"view", "view", func(t *testing.T, c *cell, w way) *program.Program {
		v, err := c.boxed(w).View(c.view, device)
		must(t, err)
		endWith(t, "view", v.Program)
		return v.Program
	}},
	{"agent", "dev", func(t *testing.T, c *cell, w way) *program.Program {
		return c.startDevice(t, c.boxed(w))
	}},
}

// TestRefusals: what cannot work is named within the time that a first sample would have had, and does not get worse by itself.
func TestRefusals(t *testing.T) {
	for _, r := range refusals {
		for _, p := range programs {
			t.Run(r.name+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				c := newCell(t, p.host)
				w := r.cross(t, c)
				began := time.Now()
				said := p.start(t, c, w)
				named, err := said.WaitFor(anyOf(r.failure), patience)
				must(t, err)
				took := time.Since(began)
				t.Logf("%s named after %v", named[0], took.Round(time.Millisecond))
				if took > refusedWithin {
					t.Errorf("named after %v, want at most %v", took, refusedWithin)
				}
				if w.after != nil {
					w.after(t)
				}
			})
		}
	}
}

// anyOf matches a line that tells one of some failures, by its name or in the table's words.
func anyOf(failures []string) *regexp.Regexp {
	var patterns []string
	for _, name := range failures {
		patterns = append(patterns, regexp.QuoteMeta(name), regexp.QuoteMeta(wordsOf(name)))
	}
	return regexp.MustCompile("(?i)" + strings.Join(patterns, "|"))
}

func distrusted(t *testing.T, c *cell) way { return interceptedBy(t, c, false) }

// tries is how long a program is left alone with a wrong password: it must not try it again meanwhile, or accounts get locked.
const tries = 3 * time.Second

// wrongPassword leads through a proxy that knows another password, and counts how often it was shown the wrong one.
func wrongPassword(with rig.SquidPolicy) func(t *testing.T, c *cell) way {
	return func(t *testing.T, c *cell) way {
		c.serve(t, "http", c.serverAt(serverPort))
		s := startSquid(t, c, c.box, with)
		must(t, c.behind.Fence(c.box))
		w := proxied(s.URL(rig.ProxyUser + ":wrong"))
		w.after = func(t *testing.T) {
			time.Sleep(tries)
			if shown := shownPasswords(s); shown != 1 {
				t.Errorf("the wrong password was shown %d times, want once; squid's log:\n%s", shown, s.Log())
			}
		}
		return w
	}
}

// shownPasswords counts the requests with a password that squid refused: those of which it knows the user.
func shownPasswords(s *rig.Squid) int {
	return len(slices.DeleteFunc(strings.Split(s.Log(), "\n"), func(line string) bool {
		fields := strings.Fields(line)
		return len(fields) < 8 || !strings.HasSuffix(fields[3], "/407") || fields[7] != rig.ProxyUser
	}))
}
