// Package settingstest runs command lines in tests as a shell would run them:
// testscript files of testdata/script, with the programs under test and two
// commands more, status (a given exit code) and eventually (try again until it succeeds).
package settingstest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Main is for TestMain of a package with scripts. programs are the main
// functions of the programs in them, by name.
func Main(m *testing.M, programs map[string]func()) {
	commands := map[string]func(){"status": status, "eventually": eventually}
	maps.Copy(commands, programs)
	testscript.Main(m, commands)
}

// Run runs all scripts of testdata/script.
func Run(t *testing.T, setup func(*testscript.Env) error) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", Setup: setup,
		RequireExplicitExec: true, RequireUniqueNames: true,
	})
}

// status N COMMAND … succeeds if the command exits with N.
func status() {
	want, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fail(err)
	}
	got, out := run(os.Args[2:])
	show(out)
	if got != want {
		fail(fmt.Errorf("exit %d, want %d", got, want))
	}
}

// patience is how long eventually tries: a loaded machine's.
const patience = 20 * time.Second

// eventually COMMAND … runs the command again and again until it succeeds, and shows what it said then.
func eventually() {
	end := time.Now().Add(patience)
	for {
		code, out := run(os.Args[1:])
		if code == 0 || time.Now().After(end) {
			show(out)
			os.Exit(code)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// output is what a command said.
type output struct{ out, err bytes.Buffer }

func run(args []string) (code int, said *output) {
	said = &output{}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, &said.out, &said.err
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		fail(err)
	}
	return cmd.ProcessState.ExitCode(), said
}

func show(said *output) {
	_, _ = said.out.WriteTo(os.Stdout)
	_, _ = said.err.WriteTo(os.Stderr)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
