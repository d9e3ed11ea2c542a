// Package fallback puts the built programs and a real Chromium behind the networks that people have: firewalls, proxies that
// ask for passwords, boxes that spoil what they pass on. For each network and each program behind it, it judges by what a user
// sees: how soon the first sample comes, also on the second visit, that no event is lost or repeated, and what is said of why.
package fallback

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

// atATime is how many cells run at once that may. They wait most of the time.
const atATime = "8"

// tools are the fixtures' programs, built once.
var tools string

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv("TELEPATH_E2E") == "" {
		fmt.Println("these tests start the built programs in network namespaces: run `make test-fallback` as root")
		return
	}
	if err := flag.Set("test.parallel", atATime); err != nil {
		panic(err)
	}
	code, err := runWithTools(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runWithTools(m *testing.M) (int, error) {
	if err := lab.Missing(); err != nil {
		return 0, err
	}
	dir, remove, err := tidy.Folder("telepath-fallback-")
	if err != nil {
		return 0, err
	}
	defer remove()
	for _, name := range []string{"middlebox", "linkem"} {
		if err := program.Build(filepath.Join(dir, name), name); err != nil {
			return 0, err
		}
	}
	tools = dir
	return m.Run(), nil
}

// mostTries is how often a time is measured before it is too long: the machine has other tenants, and a program that is late is so
// each time.
const mostTries = 3

// inTime measures until no time is late, and returns how often that was. Each try is a test with programs of its own; what
// they do wrong fails at once.
func inTime(t *testing.T, measure func(t *testing.T) (late error)) (tried int) {
	t.Helper()
	for tried = 1; ; tried++ {
		var late error
		passed := t.Run(fmt.Sprintf("try %d", tried), func(t *testing.T) { late = measure(t) })
		switch {
		case !passed || late == nil:
			return tried
		case tried == mostTries:
			t.Error(late)
			return tried
		}
		t.Log(late)
	}
}

// endWith kills a program with its test, and shows its last words if the test failed.
func endWith(t *testing.T, name string, p *program.Program) {
	t.Helper()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s said at last:\n%s", name, p.Tail(25))
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
