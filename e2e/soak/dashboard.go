package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

// The load.
const (
	charts = 20
	series = 3
	rate   = 100
)

// soakDashboard runs the dashboard under its load and returns its section of the page.
func soakDashboard(length time.Duration) (string, error) {
	dir, remove, err := tidy.Folder("telepath-soak-")
	if err != nil {
		return "", err
	}
	defer remove()
	r, err := rig.New(dir)
	if err != nil {
		return "", err
	}
	addr, err := rig.FreeAddress()
	if err != nil {
		return "", err
	}
	server, err := r.StartServer(nil, addr)
	if err != nil {
		return "", err
	}
	defer server.Kill()
	device, err := r.StartDevice(nil, "board", "--source", fmt.Sprintf("sim,rate=%d,streams=%d", rate, charts*series))
	if err != nil {
		return "", err
	}
	defer device.Kill()
	if err := r.AwaitLive(nil, "board", 15*time.Second); err != nil {
		return "", err
	}
	result, err := watch(server.LoginURL, length)
	if err != nil {
		return "", err
	}
	return result.table(length), result.judge()
}

// watch runs the browser's half, e2e/browser/soak.mjs, and passes its lines on.
func watch(url string, length time.Duration) (*result, error) {
	cmd := exec.Command("node", filepath.Join("e2e", "browser", "soak.mjs"), url, "board", fmt.Sprintf("--seconds=%.0f", length.Seconds()))
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	wait, err := program.Begin(cmd)
	if err != nil {
		return nil, err
	}
	result, err := read(pipe)
	if waitErr := wait(); err == nil {
		err = waitErr
	}
	return result, err
}
