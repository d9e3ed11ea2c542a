package agent_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/device/disk"
	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/device/spool"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
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

// A durable stream refuses its producer when there is no room; what was taken is there, without a hole, also in the next run.
func TestADurableStreamRefuses(t *testing.T) {
	s := newServer(t)
	c := s.config(t)
	c.Spool = agent.Spool{DurableBytes: 1 << 20, Durable: []string{"lo*"}}
	_, log, end := runEvents(t, c)
	text := strings.Repeat("x", 8000)
	taken, refused := 0, 0
	for refused < 3 {
		err := log.SetText(strconv.Itoa(taken+1) + " " + text)
		switch {
		case err == nil:
			taken++
		case errors.Is(err, spool.ErrNoRoom):
			refused++
		case errors.Is(err, spool.ErrFull): // the disk is behind
			time.Sleep(10 * time.Millisecond)
		default:
			t.Fatal(err)
		}
	}
	end()
	if n := kept(t, filepath.Join(c.Dir, "spool", "durable"), "log"); n != taken || taken < 100 {
		t.Errorf("%d are kept of %d", n, taken)
	}
	_, log, end = runEvents(t, c)
	defer end()
	err := error(nil)
	for range 5 { // what is in memory counts a little more than what is written
		if err = log.SetText(text); err != nil {
			break
		}
	}
	if !errors.Is(err, spool.ErrNoRoom) {
		t.Errorf("in the next run: %v", err)
	}
}

func TestWhatCannotBeDurable(t *testing.T) {
	a, err := agent.New(agent.Config{Server: nowhere, Dir: t.TempDir(), Name: "board", Spool: agent.Spool{Durable: []string{"*"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := a.Number("temperature", "°C"); !errors.Is(err, telemetry.ErrDurable) {
		t.Errorf("a live stream: %v", err)
	}
	if _, err := a.Declare(source.Stream{Name: "log", Class: wire.Event, Meta: telemetry.Meta{Kind: telemetry.Text}}); err != nil {
		t.Error(err)
	}
	b, err := agent.New(agent.Config{Server: nowhere, Dir: t.TempDir(), Name: "board", Spool: agent.Spool{Off: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Declare(source.Stream{Name: "log", Class: wire.Event, Durable: true, Meta: telemetry.Meta{Kind: telemetry.Text}}); err == nil {
		t.Error("without a spool it was declared")
	}
}
