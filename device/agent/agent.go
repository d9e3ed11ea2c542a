// Package agent makes a program a telepath device: it has an identity, stays
// linked to a server, and publishes what its streams are set to. Program
// telepath-device is a command line around it; a program of your own needs
//
//	a, err := agent.New(agent.Config{Server: "https://example.org", Token: token, Dir: "/var/lib/greenhouse", Name: "greenhouse"})
//	temperature, err := a.Number("temperature", "°C")
//	go a.Run(ctx)
//	temperature.Set(21.5)
//
// and nothing more. Set never waits: values go out when there is a path, and
// what a slow or missing one does to them is decided by the stream's class.
// Who the device is lives in Dir, a folder that must survive restarts: the
// key in it is the device's identity, its name only a label.
package agent

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/device/control"
	"github.com/telepath-iot/telepath/device/control/guard"
	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/network"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Config is the agent's configuration.
type Config struct {
	Server     string          // http://host[:port] or https://…
	Token      string          // of role device; "" where the server asks for none
	TLS        *tls.Config     // default: the system's certificates
	Proxy      string          // http://[user:password@]host:port, or "none"; default: as the environment says
	Only       []ladder.Rung   // paths that may be used; default: all
	ICETCP     string          // [host]:port to listen at for direct connections over TCP; default: nowhere
	Dir        string          // the device's own folder, made if it is not there
	Name       string          // 1 … 64 bytes for people; default: the machine's name
	Spool      Spool           // what is kept on disk; default: 256 MiB of the last 24 h, in Dir/spool
	Sources    []source.Source // run with the agent
	Wills      []Will          // values for when the device is cut off
	Control    Control         // what may be done with it; default: nothing
	KeepAlive  time.Duration   // default 3 s, with LowPower 60 s: a cut is known within 1.5 × this
	LowPower   bool            // while nobody watches one word, values and all, in 4/5 of a KeepAlive; default: values go out each second
	MaxViewers int             // that are served at once; default 64
	Program    string          // who this is, with a version, for people; default "agent"
	Log        *slog.Logger    // default: nothing is logged

	clock func() time.Time // of tests; default: time.Now
}

// Agent is a running device. Its methods are safe for concurrent use.
type Agent struct {
	config  Config // set once
	dir     *dir
	host    *peer.Host
	spool   *keeper            // nil: nothing is kept
	control *control.Authority // nil: no commands are taken
	guard   *guard.Guard       // nil: nothing is guarded
	listen  *rtc.Listener      // nil: none
	status  *status

	declaring sync.Mutex         // held while a stream is declared
	streams   map[string]*Stream // guarded by declaring
}

// New opens the device's folder and loads its key, or makes one, and listens if
// that is asked for. It sends nothing; Run or Close gives all of it free again.
func New(config Config) (*Agent, error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	folder, err := openDir(config.Dir)
	if err != nil {
		return nil, err
	}
	a := &Agent{config: config, dir: folder, status: newStatus(folder, config.Log), streams: map[string]*Stream{}}
	if err := a.prepare(); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// complete fills in defaults and says what is missing.
func (c *Config) complete() error {
	if c.Server == "" {
		return errors.New("agent: Server is missing: want http://host:port or https://host")
	}
	if c.Dir == "" {
		return errors.New("agent: Dir is missing: the device's key is kept there")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Program == "" {
		c.Program = "agent"
	}
	if c.Name == "" {
		c.Name, _ = os.Hostname() // what cannot be read is refused as a name below
	}
	if err := wire.CheckName(c.Name, wire.MaxDeviceName); err != nil {
		return fmt.Errorf("device name %.64q: %w", c.Name, err)
	}
	return nil
}

func (a *Agent) prepare() error {
	key, err := a.dir.key()
	if err != nil {
		return err
	}
	if a.spool, err = openKeeper(a.config); err != nil {
		return err
	}
	if err = a.openControl(); err != nil {
		return err
	}
	if a.listen, err = listenTCP(a.config.ICETCP, a.config.Log); err != nil {
		return err
	}
	if a.host, err = a.newHost(key); err != nil {
		return err
	}
	for _, w := range a.config.Wills {
		if err := a.setWill(w); err != nil {
			return err
		}
	}
	return nil
}

func (a *Agent) newHost(key ed25519.PrivateKey) (*peer.Host, error) {
	c, out := a.config, outage{log: a.config.Log}
	config := peer.HostConfig{
		Endpoint: peer.Endpoint{
			URL: c.Server, Token: c.Token, TLS: c.TLS, Log: c.Log, Proxy: c.Proxy, Only: c.Only, Network: network.Watch,
		},
		Key: key, Known: a.dir.isKnown(), Name: c.Name, Agent: c.Program, KeepAlive: c.KeepAlive, LowPower: c.LowPower, MaxViewers: c.MaxViewers,
		Facts: facts(os.DirFS("/")),
		RTC:   rtc.Config{Listener: a.listen},
		Clock: c.clock,
		OnState: func(s peer.HostState) {
			out.set(s.Linked, s.Err)
			a.status.set(s.Linked, s.Err)
		},
		OnWay: func() { go a.hurry() },
	}
	if a.spool != nil {
		config.Keeper, config.PastShare = a.spool, c.Spool.Share
	}
	if a.control != nil {
		config.Control = a.control
	}
	return peer.NewHost(config)
}

// ID is the device's identity: 32 hexadecimal digits, from its key.
func (a *Agent) ID() string { return a.host.ID() }

// Dir is the device's folder.
func (a *Agent) Dir() string { return a.config.Dir }

// Name is what the device is called.
func (a *Agent) Name() string { return a.config.Name }

// Number declares a stream of class live for numbers; unit may be "".
func (a *Agent) Number(name, unit string) (*Stream, error) {
	return a.Declare(source.Stream{Name: name, Class: wire.Live, Meta: telemetry.Meta{Kind: telemetry.Number, Unit: unit}})
}

// Events declares a stream of class event for texts: each arrives once and in order.
func (a *Agent) Events(name string) (*Stream, error) {
	return a.Declare(source.Stream{Name: name, Class: wire.Event, Meta: telemetry.Meta{Kind: telemetry.Text}})
}

// Declare opens a stream, or changes the description of one that is open.
// Class and kind stay what they were.
func (a *Agent) Declare(s source.Stream) (*Stream, error) {
	s.Durable = a.spool.isDurable(s)
	if err := s.Check(); err != nil {
		return nil, err
	}
	meta, err := s.Meta.Append(nil)
	if err != nil {
		return nil, fmt.Errorf("stream %q: %w", s.Name, err)
	}
	a.declaring.Lock()
	defer a.declaring.Unlock()
	if known := a.streams[s.Name]; known != nil {
		return known, known.redescribe(s, meta)
	}
	out, err := a.host.Declare(peer.StreamConfig{Name: s.Name, Class: s.Class, Deadline: s.Deadline, Durable: s.Durable, Meta: meta})
	if err != nil {
		return nil, err
	}
	a.spool.declared(s)
	stream := newStream(s, out, a.config.Log)
	if a.config.clock != nil {
		stream.clock = a.config.clock
	}
	a.streams[s.Name] = stream
	return stream, nil
}

// describer is an outlet that can be described anew.
type describer interface{ Describe(meta json.RawMessage) }

// Run serves until ctx ends, or a server refuses for good a device that none
// has ever let in. It returns nil for the former, after what is published was
// given time to arrive. A device that is known goes on: it keeps what it reads,
// makes safe what it moves, and asks again every 30 s.
func (a *Agent) Run(ctx context.Context) error {
	defer a.Close()
	log := a.config.Log
	log.Info("device", "name", a.config.Name, "id", a.ID(), "server", a.config.Server)
	if a.listen != nil {
		log.Info("direct connections over TCP", "listen", a.listen.Addr().String())
	}
	linkCtx, unlink := context.WithCancel(context.WithoutCancel(ctx))
	defer unlink()
	sourceCtx, stopSources := context.WithCancel(ctx)
	defer stopSources()
	refused := make(chan error, 1)
	defer a.spool.run()()
	var tasks sync.WaitGroup
	tasks.Go(func() { a.status.run(linkCtx) })
	tasks.Go(func() {
		refused <- a.host.Run(linkCtx)
		stopSources()
	})
	controlled := make(chan error, 1)
	go func() {
		err := a.runControl(sourceCtx)
		stopSources() // who may be told what to do and cannot be has no business to run
		controlled <- err
	}()
	err := a.runSources(sourceCtx)
	stopSources()
	err = errors.Join(err, <-controlled) // all is safe now
	a.flush()
	unlink() // the host says goodbye now
	tasks.Wait()
	if ended := <-refused; ended != nil {
		return fmt.Errorf("server %s: %w", a.config.Server, ended)
	}
	return err
}

// Close gives the device's folders free, and the port where it listens. Run does it too.
func (a *Agent) Close() {
	a.spool.close()
	if a.listen != nil {
		if err := a.listen.Close(); err != nil {
			a.config.Log.Warn("closing the port for direct connections", "err", err)
		}
	}
	a.dir.close()
}

// hurry has streams wait for no company once.
func (a *Agent) hurry() {
	a.declaring.Lock()
	defer a.declaring.Unlock()
	for _, s := range a.streams {
		s.hurry()
	}
}

// flush publishes what still waits for company.
func (a *Agent) flush() {
	a.declaring.Lock()
	defer a.declaring.Unlock()
	for _, s := range a.streams {
		s.flush()
	}
}
