// Package settingstest runs command lines in tests as a shell would run them:
// testscript files of testdata/script, with the program under test and two
// commands more, status (a given exit code) and waitfor (a file).
package settingstest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/settings"
)

// Main is for TestMain of a package with scripts.
func Main(m *testing.M, programs ...func() *cobra.Command) {
	commands := map[string]func(){"status": status, "waitfor": waitFor}
	for _, program := range programs {
		commands[program().Name()] = func() { settings.Main(program()) }
	}
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
	cmd := exec.Command(os.Args[2], os.Args[3:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		fail(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		fail(fmt.Errorf("exit %d, want %d", got, want))
	}
}

// patience is how long waitfor waits: a loaded machine's.
const patience = 20 * time.Second

// waitFor FILE waits until there is such a file.
func waitFor() {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(os.Args[1]); err == nil {
			return
		}
	}
	fail(fmt.Errorf("no %s after %v", os.Args[1], patience))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
