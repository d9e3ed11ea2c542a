package agent_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/peer"
)

// A token that was changed, or a server that has forgotten it, ends no device
// that has been in service: it would keep nothing of what it reads.
func TestARefusedDeviceGoesOn(t *testing.T) {
	s := newServer(t)
	c := s.config(t)
	_, end := run(t, c)
	waitForFolder(t, c.Dir)
	end()
	c.Token = "wrong"
	_, end = run(t, c)
	time.Sleep(time.Second)
	if _, err := agent.Check(c.Dir); err == nil {
		t.Error("it is linked with a wrong token")
	}
	end() // an error is told

	if err := os.Remove(filepath.Join(c.Dir, "key")); err != nil { // a new identity
		t.Fatal(err)
	}
	a, err := agent.New(c)
	if err != nil {
		t.Fatal(err)
	}
	var refused *peer.RefusedError
	if err := a.Run(t.Context()); !errors.As(err, &refused) || refused.Code != "unauthorized" {
		t.Errorf("a device that was never let in: %v", err)
	}
}
