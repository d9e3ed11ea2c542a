package agent_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/device/disk"
	"github.com/telepath-iot/telepath/device/spool"
)

// nowhere is the address of a server that is not there.
const nowhere = "http://127.0.0.1:1"

// kept reads the spool of an agent that has ended.
func kept(t *testing.T, dir, stream string) (samples int) {
	t.Helper()
	s, err := spool.Open(spool.Config{FS: disk.OS{Dir: dir}})
	if err != nil {
		t.Fatal(err)
	}
	r := s.Read(spool.Query{Streams: map[string]spool.Place{stream: {}}})
	defer r.Close()
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			return samples
		}
		if err != nil || item.Gap.From != 0 {
			t.Fatalf("%+v, %v", item, err)
		}
		samples += item.Header.Count
	}
}

// What is published while there is no server, and nobody who watches, is kept over the end of the program.
func TestTheSpoolIsFilledWithoutAServer(t *testing.T) {
	dir := t.TempDir()
	const runs, count = 3, 500
	for range runs {
		a, err := agent.New(agent.Config{Server: nowhere, Dir: dir, Name: "board"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		temperature, err := a.Number("temperature", "°C")
		if err != nil {
			t.Fatal(err)
		}
		for i := range count {
			if err := temperature.Set(float64(i)); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	if n := kept(t, filepath.Join(dir, "spool"), "temperature"); n != runs*count {
		t.Errorf("%d samples were kept, want %d", n, runs*count)
	}
}

func TestNoSpool(t *testing.T) {
	dir := t.TempDir()
	a, err := agent.New(agent.Config{Server: nowhere, Dir: dir, Name: "board", Spool: agent.Spool{Off: true}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := a.Run(ctx); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "spool")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a spool: %v", err)
	}
}
