//go:build linux

package agent_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/device/actuator"
	actuatorexec "github.com/telepath-iot/telepath/device/actuator/exec"
	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/device/control"
	"github.com/telepath-iot/telepath/device/control/guard"
	"github.com/telepath-iot/telepath/device/urgent"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
)

// roleEnv says what the test binary is when it is started again: "agent", with the server, its token and a folder as
// arguments, or that agent's "guard".
const roleEnv = "TELEPATH_AGENT_TEST"

// The tests inside the package have the TestMain.
func init() {
	switch os.Getenv(roleEnv) {
	case "agent":
		fmt.Fprintln(os.Stderr, drivable(os.Args[1], os.Args[2], os.Args[3]))
		os.Exit(1)
	case "guard":
		if guard.Watch(os.Stdin, os.Stdout, os.Stderr) != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// drivable is an agent whose axis is set by a program, and made safe by another.
func drivable(server, token, dir string) error {
	act, err := actuatorexec.New(actuatorexec.Config{
		Axes: []actuatorexec.Axis{{Axis: rpc.Axis{ID: 1, Name: "speed", Min: -1, Max: 1}, Set: []string{"touch", filepath.Join(dir, "set")}}},
		Methods: []actuatorexec.Method{{
			Method: rpc.Method{Name: "pump", Lease: true}, Run: []string{"touch", filepath.Join(dir, "set")},
		}},
		Safe: urgent.Command{Argv: []string{"touch", filepath.Join(dir, "safe")}},
	})
	if err != nil {
		return err
	}
	os.Setenv(roleEnv, "guard")
	a, err := agent.New(agent.Config{
		Server: server, Token: token, Dir: filepath.Join(dir, "data"), Name: "rover",
		Control: agent.Control{Actuators: []actuator.Actuator{act}, Guard: []string{os.Args[0]}},
		Log:     slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	return a.Run(context.Background())
}

// An agent that is killed, or stopped, while somebody drives, or has something on that needs the lease: its guard makes everything
// safe. How soon is measured where the guard is.
func TestAgentThatIsKilledWhileItMoves(t *testing.T) {
	for _, c := range []struct {
		name string
		sig  syscall.Signal
		move func(ctx context.Context, r *peer.Remote, dir string) error
	}{
		{"killed", syscall.SIGKILL, driveUntilSet},
		{"stopped", syscall.SIGSTOP, driveUntilSet},
		{"stopped, and only the lease keeps something on", syscall.SIGSTOP, pump},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, dir := newServer(t), t.TempDir()
			cmd := exec.Command(os.Args[0], s.url, s.token("device"), dir)
			var log bytes.Buffer
			cmd.Env, cmd.Stderr = append(os.Environ(), roleEnv+"=agent"), &log
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				_ = cmd.Process.Kill() // it is killed already, or stopped
				_ = cmd.Wait()         // for its guard as well, which has the same standard error
				if t.Failed() {
					t.Log(log.String())
				}
			}()
			awaitLink(filepath.Join(dir, "data"))
			err := operate(s, "rover", func(ctx context.Context, r *peer.Remote) error {
				if _, err := r.Take(ctx); err != nil {
					return err
				}
				if err := c.move(ctx, r, dir); err != nil {
					return err
				}
				at := time.Now().Add(-fileTime)
				if err := cmd.Process.Signal(c.sig); err != nil {
					return err
				}
				for !touched(filepath.Join(dir, "safe")).After(at) && ctx.Err() == nil {
					time.Sleep(5 * time.Millisecond)
				}
				t.Logf("safe %v after the signal; the dead-man time is %v", touched(filepath.Join(dir, "safe")).Sub(at), control.DefaultDeadman)
				return ctx.Err()
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func driveUntilSet(ctx context.Context, r *peer.Remote, dir string) error {
	for n := uint64(1); touched(filepath.Join(dir, "set")).IsZero() && ctx.Err() == nil; n++ {
		r.Hand(n, []wire.Target{{Axis: 1, Value: 0.5}})
		time.Sleep(20 * time.Millisecond)
		if r.Status().Driving == rpc.Tripped { // the machine was too busy for a moment: the hand lets go
			n++
			r.Hand(n, []wire.Target{{Axis: 1, Value: 0}})
			time.Sleep(300 * time.Millisecond)
		}
	}
	return ctx.Err()
}

// pump calls a method that needs the lease, and has ended well when the agent is stopped.
func pump(ctx context.Context, r *peer.Remote, _ string) error {
	info, err := r.Call(ctx, peer.Call{Method: "pump", Deadline: 5 * time.Second})
	if err == nil && info.State != rpc.Done {
		err = fmt.Errorf("the call is %s: %s", info.State, info.Reason)
	}
	time.Sleep(100 * time.Millisecond) // real processes: the guard hears of it
	return err
}

// fileTime is how fine the time of a file is.
const fileTime = 10 * time.Millisecond

// touched is when a file was; zero: it is not there.
func touched(file string) time.Time {
	info, err := os.Stat(file)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
