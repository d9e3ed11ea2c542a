package telepath_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pure is the core that exists twice, in Go and in TypeScript, and runs the same scenario files in both, and the demonstration's
// physics and controller, which do the same. It can only do so because it is handed bytes and `now` and answers with a value.
var pure = []string{"peer/wire", "peer/telemetry", "peer/session", "peer/live", "peer/ladder", "peer/rpc", "device/machine/cartpole", "device/machine/rover", "device/machine/balance"}

// impure are the standard library's ways out of a pure function.
var impure = map[string]string{
	"os": "no I/O", "io/fs": "no I/O", "net": "no I/O", "net/http": "no I/O", "syscall": "no I/O", "bufio": "no I/O",
	"log": "no logger", "log/slog": "no logger", "context": "nothing to wait for", "sync": "no goroutine, so nothing to guard",
	"math/rand": "randomness is handed in", "math/rand/v2": "randomness is handed in", "crypto/rand": "randomness is handed in",
}

// clocks are the functions of package time that look at a clock or wait for one.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

func TestPureCore(t *testing.T) {
	seen := 0
	for _, p := range packages(t) {
		if !underAny(p.name(), pure) {
			continue
		}
		for _, name := range p.GoFiles {
			seen++
			checkPure(t, p.name(), filepath.Join(p.Dir, name))
		}
	}
	if seen == 0 {
		t.Fatal("found no file of the pure core: this test would check nothing")
	}
}

func checkPure(t *testing.T, pkg, path string) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		if why, bad := impure[imported]; bad {
			t.Errorf("%s (%s) imports %q: the pure core has %s", pkg, filepath.Base(path), imported, why)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if why := impurity(n); why != "" {
			t.Errorf("%s %s: %s", pkg, strings.TrimPrefix(fset.Position(n.Pos()).String(), filepath.Dir(path)+"/"), why)
		}
		return true
	})
}

func impurity(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "the pure core starts no goroutine: its caller owns them all"
	case *ast.SelectorExpr:
		if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clocks, n.Sel.Name) {
			return "time." + n.Sel.Name + ": the pure core has no clock, `now` is handed in"
		}
	}
	return ""
}

// The checks above must be able to fail.
func TestImpurityIsSeen(t *testing.T) {
	const source = `package p
import "time"
func f() { go f(); _ = time.Now(); _ = time.Second }`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if impurity(n) != "" {
			found++
		}
		return true
	})
	if found != 2 {
		t.Errorf("found %d impurities in a source with a goroutine and a clock, want 2", found)
	}
}
