package telepath_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// webRoot holds the dashboard's source for browsers, whose arrows are these.
const webRoot = "dashboard/web/src"

// failureTable is the one file outside of webRoot that it imports: both languages have the same words for a failure.
const failureTable = "peer/carrier/failures.json"

// webArrow says what a part of the dashboard may import beside itself and
// `peer`'s tables of words (files right in src/peer).
type webArrow struct {
	may    []string
	reason string
}

var pureTwin = "the twin of a pure Go package is as pure as that"

var webArrows = map[string]webArrow{
	"peer/wire":      {nil, "bytes are at the bottom"},
	"peer/signal":    {[]string{"peer/wire"}, "signals know the wire's limits and codes, nothing else"},
	"peer/telemetry": {[]string{"peer/wire"}, pureTwin},
	"peer/session":   {[]string{"peer/wire"}, pureTwin},
	"peer/live":      {[]string{"peer/wire"}, pureTwin},
	"peer/ladder":    {[]string{"peer/wire"}, pureTwin},
	"peer/rpc":       {[]string{"peer/wire"}, pureTwin},
	"peer/carrier":   {[]string{"peer", "peer/wire", "peer/signal", "peer/ladder", "peer/live"}, "a carrier moves packets over one path: it knows no Conn, leaves what is lost to live, and knows of signals only refusals and its own end"},
	"peer/link":      {[]string{"peer", "peer/wire", "peer/signal", "peer/ladder", "peer/carrier"}, "the link moves bytes and signals, on the best rung that works: it knows no sample and no screen"},
	"peer/conn":      {[]string{"peer", "peer/wire", "peer/signal", "peer/session", "peer/ladder", "peer/carrier", "peer/link"}, "a Conn moves bytes: only engine and screen know telemetry"},
	"peer":           {[]string{"peer/wire", "peer/ladder", failureTable}, "words and surroundings, for all"},
	"archive":        {nil, "what outlives a reload: it knows streams by their names and nothing of links and screens"},
	"survey":         {[]string{"peer", "peer/carrier", "peer/conn", "peer/ladder", ".port.ts"}, "what a page finds out of its network, with connections of its own: no Conn, no screen"},
	"balance":        {nil, "a controller decides from what it is told and now: it knows neither a link nor a screen"},
	"engine":         {[]string{"archive", "survey", "peer", "peer/wire", "peer/signal", "peer/telemetry", "peer/ladder", "peer/rpc", "peer/link", "peer/conn", "peer/carrier", ".port.ts", ".rtc-page.ts"}, "the Worker's side of the port: no screen"},
	"hands":          {[]string{".port.ts"}, "what reads keys, sticks and pads, and counts the hand: it knows no engine and no screen"},
	"store":          {[]string{"archive", ".port.ts"}, "what the page has received, behind the port: no path, no screen"},
	"view":           {[]string{"archive", "hands", "store", "balance", "peer", ".port.ts", ".theme.ts"}, "a screen sees the port, the store and the hands: nothing of the link but its words"},
}

var webImport = regexp.MustCompile(`(?:from|import) "(\.[^"]+)"`)

// webPart is the part that a file below webRoot belongs to; of files right in it their own name behind a dot.
func webPart(file string) string {
	steps := strings.Split(file, "/")
	switch {
	case steps[0] == "..":
		return path.Join(webRoot, file)
	case len(steps) == 1:
		return "." + file
	case steps[0] == "peer" && len(steps) > 2:
		return "peer/" + steps[1]
	}
	return steps[0]
}

// resolveWeb finds the file that an import names, below webRoot.
func resolveWeb(from, imported string) string {
	target := path.Join(path.Dir(from), imported)
	for _, ending := range []string{"", ".ts", ".svelte.ts", "/index.ts"} {
		if info, err := os.Stat(filepath.Join(webRoot, target+ending)); err == nil && !info.IsDir() {
			return target + ending
		}
	}
	return target
}

func TestWebArrows(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(webRoot, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(name, ".test.") || !slices.Contains([]string{".ts", ".svelte"}, path.Ext(name)) {
			return err
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file := filepath.ToSlash(strings.TrimPrefix(name, webRoot+"/"))
		part := webPart(file)
		rule, ruled := webArrows[part]
		if !ruled && !strings.HasPrefix(part, ".") { // files right in src assemble the parts
			t.Errorf("%s has no place in the architecture: add it to the arrows of arch_web_test.go", part)
		}
		for _, m := range webImport.FindAllSubmatch(source, -1) {
			to := webPart(resolveWeb(file, string(m[1])))
			seen++
			if ruled && to != part && !slices.Contains(rule.may, to) {
				t.Errorf("%s imports %s: %s", file, to, rule.reason)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 100 {
		t.Errorf("only %d imports found: the test looks in the wrong place", seen)
	}
}
