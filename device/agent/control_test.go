package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/device/actuator"
	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/rpc"
)

// lamp is an actuator of one's own.
type lamp struct{ on bool }

func (l *lamp) Axes() []rpc.Axis { return nil }

func (l *lamp) Methods() []rpc.Method {
	return []rpc.Method{{
		Name: "light", Label: "Light",
		Params: json.RawMessage(`{"type": "object", "required": ["on"], "properties": {"on": {"type": "boolean"}}}`),
	}}
}

func (l *lamp) Apply(map[uint64]float64) (map[uint64]float64, error) { return nil, nil }

func (l *lamp) Safe() error {
	l.on = false
	return nil
}

func (l *lamp) Call(_ context.Context, _ string, params json.RawMessage, _ func(float64)) (json.RawMessage, error) {
	var p struct{ On bool }
	if err := json.Unmarshal(params, &p); err != nil {
		return nil, err
	}
	l.on = p.On
	return json.Marshal(map[string]bool{"was": !p.On})
}

// awaitLink waits until an agent is linked to its server.
func awaitLink(dir string) {
	for linked := false; !linked; time.Sleep(5 * time.Millisecond) {
		_, err := agent.Check(dir)
		linked = err == nil
	}
}

// operate gives a Remote of a device until f returns.
func operate(s *testServer, device string, f func(ctx context.Context, r *peer.Remote) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, err := peer.NewRemote(peer.RemoteConfig{
		View: peer.ViewConfig{Endpoint: peer.Endpoint{URL: s.url, Token: s.token("operator")}, Device: device, NoDirect: true},
		Name: "Anna",
	})
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	if _, err = r.Ready(ctx); err == nil {
		err = f(ctx, r)
	}
	cancel()
	<-ended
	return err
}

// A device that can be told something, in ten lines more.
func ExampleControl() {
	server, err := startServer()
	if err != nil {
		log.Fatal(err)
	}
	defer server.stop()
	dir, err := os.MkdirTemp("", "hall")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)

	a, err := agent.New(agent.Config{
		Server: server.url, Token: server.token("device"), Dir: dir, Name: "hall",
		Control: agent.Control{Actuators: []actuator.Actuator{&lamp{}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	go func() { ended <- a.Run(ctx) }()
	awaitLink(dir)

	err = operate(server, "hall", func(ctx context.Context, r *peer.Remote) error {
		for _, params := range []string{`{"on": true}`, `{"on": 7}`} {
			call, err := r.Call(ctx, peer.Call{Method: "light", Params: json.RawMessage(params), Deadline: 5 * time.Second})
			if err != nil {
				return err
			}
			fmt.Println(call.State, strings.TrimSpace(fmt.Sprint(string(call.Result), " ", call.Code, " ", call.Reason)))
		}
		return nil
	})
	cancel()
	fmt.Println(err, <-ended)
	// Output:
	// done {"was":false}
	// rejected params on: want type boolean
	// <nil> <nil>
}

// A stop from one operator, over a restart of the device's program, until it is reset.
func TestStopLastsOverARestart(t *testing.T) {
	s := newServer(t)
	config := s.config(t)
	config.Control = agent.Control{Actuators: []actuator.Actuator{&lamp{}}}
	for life, want := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		a, err := agent.New(config)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		awaitLink(config.Dir)
		err = operate(s, a.ID(), func(ctx context.Context, r *peer.Remote) error {
			if stop := r.Status().Stop; stop.Stopped != want {
				t.Errorf("life %d: %+v", life, stop)
			}
			stop, err := r.Stop(ctx)
			if err == nil && !stop.Stopped {
				t.Errorf("life %d: %+v", life, stop)
			}
			return err
		})
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err != nil {
			t.Error(err)
		}
	}
}
