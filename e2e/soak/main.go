// Command soak runs the dashboard under the load of its goal: 20 charts of 3 series at 100 samples a second each, in headless
// Chromium, for ten minutes. It reads frames a second, the heap after a collection, and the browser's share of the processors,
// prints them and writes docs/soak.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
)

// The load.
const (
	charts = 20
	series = 3
	rate   = 100
)

func main() {
	length := flag.Duration("length", 10*time.Minute, "how long")
	out := flag.String("out", "docs/soak.md", "where the table goes")
	flag.Parse()
	if err := run(*length, *out); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(length time.Duration, out string) error {
	dir, err := os.MkdirTemp("", "telepath-soak-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r, err := rig.New(dir)
	if err != nil {
		return err
	}
	addr, err := rig.FreeAddress()
	if err != nil {
		return err
	}
	server, err := r.StartServer(nil, addr)
	if err != nil {
		return err
	}
	defer server.Kill()
	device, err := r.StartDevice(nil, "board", "--source", fmt.Sprintf("sim,rate=%d,streams=%d", rate, charts*series))
	if err != nil {
		return err
	}
	defer device.Kill()
	if err := r.AwaitLive(nil, "board", 15*time.Second); err != nil {
		return err
	}
	result, err := watch(server.LoginURL, length)
	if err != nil {
		return err
	}
	text := result.table(length)
	fmt.Println("\n" + text)
	if err := os.WriteFile(out, []byte(text), 0o644); err != nil {
		return err
	}
	return result.judge()
}

// watch runs the browser's half, e2e/browser/soak.mjs, and passes its lines on.
func watch(url string, length time.Duration) (*result, error) {
	cmd := exec.Command("node", filepath.Join("e2e", "browser", "soak.mjs"), url, "board", fmt.Sprintf("--seconds=%.0f", length.Seconds()))
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	result, err := read(pipe)
	if waitErr := cmd.Wait(); err == nil {
		err = waitErr
	}
	return result, err
}

func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "an unknown commit"
	}
	return "commit " + strings.TrimSpace(string(out))
}
