// Package rig runs the product's three programs, as built into bin/, on hosts of a laboratory or on this machine, through
// their public command line only. What it knows of telepath is what docs/running.md says.
package rig

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

// Rig is one server with its devices and viewers. Its files are in one folder.
type Rig struct {
	Bin string   // where the built programs are
	Dir string   // tokens, keys, logs; the caller removes it
	URL string   // of the server, http://host:port; set by StartServer
	Env []string // of all programs started from now on, NAME=VALUE

	// Timed has programs started without the help of ip, which takes its time: where the start itself is measured. Files that a host
	// has in the place of those of /etc are not there then.
	Timed bool
}

// New returns a rig whose programs come from the module's bin/ and whose files are in dir.
func New(dir string) (*Rig, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	r := &Rig{Bin: filepath.Join(root, "bin"), Dir: dir}
	for _, name := range []string{"telepath-signaling", "telepath-device", "telepath"} {
		if _, err := os.Stat(r.program(name)); err != nil {
			return nil, fmt.Errorf("%s is not built: run `make build`", name)
		}
	}
	return r, nil
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod above %s", dir)
		}
	}
}

func (r *Rig) program(name string) string { return filepath.Join(r.Bin, name) }

// FreeAddress is an address of this machine that nobody listens at.
func FreeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// Token is the file of a role's token: device, viewer, operator or admin.
func (r *Rig) Token(role string) string { return filepath.Join(r.Dir, "server", "tokens", role) }

// Start runs any program on a host (nil: this machine) with a home of its own, so that nobody's configuration is met.
func (r *Rig) Start(on *lab.Host, spec program.Spec) (p *program.Program, err error) {
	home := []string{"HOME=" + r.Dir, "XDG_CONFIG_HOME=" + filepath.Join(r.Dir, "config")}
	spec.Env = slices.Concat(home, r.Env, spec.Env)
	if !r.Timed || on == nil {
		spec.Args = on.Wrap(spec.Args...)
		return program.Start(spec)
	}
	err = on.Enter(func() error {
		p, err = program.Start(spec) // a child is where the thread is that starts it
		return err
	})
	return p, err
}

// Server is the running server.
type Server struct {
	*program.Program
	LoginURL string // with the single-use code
}

const startTimeout = 15 * time.Second // a loaded machine's

var loginURL = regexp.MustCompile(`(https?://[^\s"]+)/(?:[^\s"]*)#code=[\w-]+`)

// StartServer starts the server on a host, listening at addr ("10.88.0.2:8080"), and waits until it is ready.
// Starting it again with the same rig gives the same server: its data stay.
func (r *Rig) StartServer(on *lab.Host, addr string, args ...string) (*Server, error) {
	p, err := r.LaunchServer(on, addr, args...)
	if err != nil {
		return nil, err
	}
	s := &Server{Program: p}
	if err := s.AwaitReady(); err != nil {
		p.Kill()
		return nil, err
	}
	return s, nil
}

// LaunchServer is StartServer without the waiting: for who disturbs it meanwhile.
func (r *Rig) LaunchServer(on *lab.Host, addr string, args ...string) (*program.Program, error) {
	r.URL = "http://" + addr
	return r.Start(on, program.Spec{
		Name: "server",
		Args: append([]string{
			r.program("telepath-signaling"), "serve", "--listen", addr, "--data", filepath.Join(r.Dir, "server"),
		}, args...),
	})
}

// AwaitReady waits until the server is ready, and reads its LoginURL.
func (s *Server) AwaitReady() error {
	found, err := s.WaitFor(loginURL, startTimeout)
	if err == nil {
		s.LoginURL = found[0]
	}
	return err
}

// StartDevice starts an agent under a name. Its key is kept: started again it is the same device. Sources are given
// as on the command line, "--source", "host". Its standard input is for `stdin` sources.
func (r *Rig) StartDevice(on *lab.Host, name string, args ...string) (*program.Program, error) {
	return r.StartDeviceBehind(on, nil, name, args...)
}

// StartDeviceBehind is StartDevice for the program behind the agent's standard output: onLine is called with what the agent tells it.
func (r *Rig) StartDeviceBehind(on *lab.Host, onLine func(program.Line), name string, args ...string) (*program.Program, error) {
	return r.Start(on, program.Spec{
		Name:   name,
		Stdin:  true,
		OnLine: onLine,
		Args: append([]string{
			r.program("telepath-device"), "run", "--server", r.URL, "--token-file", r.Token("device"),
			"--data", filepath.Join(r.Dir, "device-"+name), "--name", name,
		}, args...),
	})
}

// StartTelepath starts the terminal's dashboard: telepath view, devices, ping.
func (r *Rig) StartTelepath(on *lab.Host, onLine func(program.Line), command string, args ...string) (*program.Program, error) {
	return r.Start(on, program.Spec{Name: "telepath " + command, OnLine: onLine, Args: r.telepath("viewer", command, args)})
}

// StartTelepathRaw is StartTelepath for a program that says more than can be looked at meanwhile: see program.Spec.OnOutput.
func (r *Rig) StartTelepathRaw(on *lab.Host, onOutput func(at time.Time, output []byte), command string, args ...string) (*program.Program, error) {
	return r.Start(on, program.Spec{Name: "telepath " + command, OnOutput: onOutput, Args: r.telepath("viewer", command, args)})
}

func (r *Rig) telepath(role, command string, args []string) []string {
	return append([]string{r.program("telepath"), command, "--server", r.URL, "--token-file", r.Token(role)}, args...)
}

// keptLines is how much of what a program said is kept where something failed: hours of a log, a minute of samples.
const keptLines = 10_000

// KeepLogs writes what programs said into a folder that stays, a file for each, and returns the folder's name.
func KeepLogs(programs ...*program.Program) (dir string, err error) {
	tidy.Hold() // what was interrupted has not failed
	if dir, err = os.MkdirTemp("", "telepath-failed-"); err != nil {
		return "", fmt.Errorf("keep logs: %w", err)
	}
	var errs []error
	for i, p := range programs {
		file := filepath.Join(dir, fmt.Sprintf("%d-%s.log", i+1, strings.ReplaceAll(p.Name(), " ", "-")))
		errs = append(errs, os.WriteFile(file, []byte(p.Tail(keptLines)), 0o644))
	}
	return dir, errors.Join(errs...)
}
