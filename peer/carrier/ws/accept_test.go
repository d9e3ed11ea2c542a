package ws

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// writes are what a server has given to the kernel, one entry each time.
type writes struct {
	net.Listener
	mu  sync.Mutex
	all [][]byte // guarded by mu
}

type written struct {
	net.Conn
	to *writes
}

func (w *writes) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	return written{conn, w}, err
}

func (w written) Write(p []byte) (int, error) {
	w.to.mu.Lock()
	w.to.all = append(w.to.all, bytes.Clone(p))
	w.to.mu.Unlock()
	return w.Conn.Write(p)
}

// TestAnswerGoesWithTheFirstPacket: who speaks first agrees to the upgrade with that, and without the headers of a page.
func TestAnswerGoesWithTheFirstPacket(t *testing.T) {
	frame := wire.AppendProbe(nil, wire.Hop{}, wire.Probe{ID: 7})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		c, err := Accept(w, r, Config{SpeaksFirst: true})
		if err != nil {
			t.Errorf("accept: %v", err)
			return
		}
		c.Send(carrier.Frame{Control: true, Bytes: frame})
		_ = c.Run(r.Context(), func([]byte) {})
	}))
	seen := &writes{Listener: server.Listener}
	server.Listener = seen
	server.Start()
	defer server.Close()
	c := dial(t, DialConfig{URL: server.URL})
	came := make(chan []byte, 1)
	run := make(chan error, 1)
	go func() { run <- c.Run(t.Context(), func(p []byte) { came <- bytes.Clone(p) }) }()
	if got := <-came; !bytes.Equal(got, frame) {
		t.Errorf("%x came, not %x", got, frame)
	}
	c.Close(wire.Code{}, "")
	<-run
	seen.mu.Lock()
	defer seen.mu.Unlock()
	first := seen.all[0]
	if !bytes.HasPrefix(first, []byte("HTTP/1.1 101 ")) || !bytes.HasSuffix(first, frame) || bytes.Contains(first, []byte("Content-Security-Policy")) {
		t.Errorf("it began with %q", first)
	}
}
