package bus

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

var quiet = slog.New(slog.DiscardHandler)

func embedded(t *testing.T, dir string) Bus {
	t.Helper()
	b, err := Embedded(t.Context(), dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func external(t *testing.T, jetstream bool) string {
	t.Helper()
	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: jetstream, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() {
		ns.Shutdown()
		ns.WaitForShutdown()
	})
	if !ns.ReadyForConnections(patience) {
		t.Fatal("NATS does not start")
	}
	return ns.ClientURL()
}

// TestContract is what every Bus keeps.
func TestContract(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		b := embedded(t, t.TempDir())
		defer b.Close()
		contract(t, b)
	})
	t.Run("external", func(t *testing.T) {
		b, err := Connect(t.Context(), external(t, true), quiet)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		contract(t, b)
	})
}

func contract(t *testing.T, b Bus) {
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if all, err := b.All(ctx); err != nil || len(all) != 0 {
		t.Fatalf("at first: %v, %v", all, err)
	}
	must(b.Put(ctx, "aa", []byte("1")))
	must(b.Put(ctx, "aa", []byte("2")))
	must(b.Put(ctx, "bb", []byte("3")))
	must(b.Delete(ctx, "bb"))
	must(b.Delete(ctx, "never"))
	all, err := b.All(ctx)
	if err != nil || len(all) != 1 || string(all["aa"]) != "2" {
		t.Fatalf("after that: %q, %v", all, err)
	}
	changes := make(chan string, 16)
	watching, stopWatching := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		b.Watch(watching, func(key string, value []byte) {
			if key == "aa" {
				changes <- string(value)
			}
		})
	})
	for _, step := range []struct {
		do   func() error
		want string
	}{
		{func() error { return nil }, "2"},
		{func() error { return b.Put(ctx, "aa", []byte("4")) }, "4"},
		{func() error { return b.Delete(ctx, "aa") }, ""},
	} {
		must(step.do())
		select {
		case got := <-changes:
			if got != step.want {
				t.Fatalf("watched %q, want %q", got, step.want)
			}
		case <-ctx.Done():
			t.Fatalf("%q was not watched", step.want)
		}
	}
	stopWatching()
	done.Wait()
}

func TestMessagesReachOthersOnly(t *testing.T) {
	url := external(t, true)
	var buses [2]Bus
	got := make(chan string, 16)
	for i := range buses {
		b, err := Connect(t.Context(), url, quiet)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		buses[i] = b
		cancel, err := b.Subscribe("telepath.test", func(data []byte) { got <- string(rune('0'+i)) + string(data) })
		if err != nil {
			t.Fatal(err)
		}
		defer cancel()
	}
	for _, text := range []string{"a", "b"} {
		if err := buses[0].Publish("telepath.test", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"1a", "1b"} {
		select {
		case text := <-got:
			if text != want {
				t.Fatalf("got %q, want %q", text, want)
			}
		case <-time.After(patience):
			t.Fatalf("%q did not come", want)
		}
	}
}

func TestEmbeddedKeepsDataAndFolder(t *testing.T) {
	dir := t.TempDir()
	b := embedded(t, dir)
	if err := b.Put(t.Context(), "aa", []byte("1")); err != nil {
		t.Fatal(err)
	}
	b.Close()
	b = embedded(t, dir)
	defer b.Close()
	if all, err := b.All(t.Context()); err != nil || string(all["aa"]) != "1" {
		t.Fatalf("after a restart: %q, %v", all, err)
	}
}

func TestHelpfulErrors(t *testing.T) {
	if _, err := Connect(t.Context(), "nats://user:secret@127.0.0.1:1", quiet); err == nil || contains(err, "secret") || !contains(err, "--nats") {
		t.Errorf("nobody there: %v", err)
	}
	if _, err := Connect(t.Context(), external(t, false), quiet); err == nil || !contains(err, "-js") {
		t.Errorf("without JetStream: %v", err)
	}
}

func contains(err error, part string) bool { return strings.Contains(err.Error(), part) }

// TestConnectingMayTakeLong: where everything starts at once, NATS is no quicker than the rest.
func TestConnectingMayTakeLong(t *testing.T) {
	o := nats.GetDefaultOptions()
	for _, set := range options(quiet) {
		if err := set(&o); err != nil {
			t.Fatal(err)
		}
	}
	if o.Timeout < startTime {
		t.Errorf("%v for a connection, want %v", o.Timeout, startTime)
	}
}
