package tidy

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if os.Getenv("TIDY_TEST") != "" {
		beTold()
	}
	os.Exit(m.Run())
}

// beTold makes things, and works on until it is told to end.
func beTold() {
	dir, _, err := Folder("tidy-test-")
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"first", "given back", "last"} {
		forget, err := Make(func() error { return nil }, func() { fmt.Println("told", name) }, func() { time.Sleep(100 * time.Millisecond); fmt.Println(name) })
		if err != nil {
			panic(err)
		}
		if name == "given back" {
			forget()
		}
	}
	if _, err := Make(func() error { return errors.New("cannot be made") }, nil, func() { fmt.Println("never made") }); err == nil {
		panic("no error")
	}
	fmt.Println(dir)
	for {
		Hold()
		time.Sleep(time.Millisecond)
		if _, err := os.Stat(dir); err != nil { // the end has begun
			Hold()
			fmt.Println("held by nobody")
			os.Exit(0)
		}
	}
}

// Who is told to end leaves nothing, and does nothing more.
func TestEnd(t *testing.T) {
	temporary := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TIDY_TEST=1", "TMPDIR="+temporary)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if made, _ := filepath.Glob(filepath.Join(temporary, "tidy-test-*")); len(made) == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no folder was made")
		}
	}
	time.Sleep(100 * time.Millisecond) // for the rest
	for range 3 {                      // as timeout sends it, which comes at once
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 128+int(syscall.SIGTERM) {
		t.Errorf("ended with %v", cmd.ProcessState)
	}
	if _, undone, _ := strings.Cut(out.String(), "\n"); undone != "told first\ntold last\nlast\nfirst\n" {
		t.Errorf("undone, behind the folder's name: %q", undone)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}

func TestFolder(t *testing.T) {
	dir, remove, err := Folder("tidy-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	remove()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is there still: %v", err)
	}
	remove() // again does nothing
}
