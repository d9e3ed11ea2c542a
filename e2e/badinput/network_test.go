package badinput

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/ws"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// TestNetworkAttack: a device and its viewer go on, without a gap, while others do to the server what they can.
func TestNetworkAttack(t *testing.T) {
	w := newWorld(t)
	d := w.device(t, "board")
	numbered(t, d, 1)
	v := w.view(t, "board", "--from", "start")
	attacks := []func(*testing.T){
		w.idleConnections, w.garbage, w.hugeHeaders, w.wrongTokens, w.badPackets, w.signalFlood, w.foreignPages,
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		var running sync.WaitGroup
		for _, attack := range attacks {
			running.Go(func() { attack(t) })
		}
		running.Wait()
	}()
	n := 1
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		select {
		case <-tick.C:
			n++
			numbered(t, d, n)
			continue
		case <-over:
		}
		break
	}
	expectNumbered(t, v, n)
	for _, code := range []string{"unauthorized", "malformed", "too-large", "bad-origin"} {
		if w.counted(t, `telepath_refused_total{code="`+code+`"}`) == 0 {
			t.Errorf("no refusal is counted as %s", code)
		}
	}
	if w.counted(t, `telepath_drops_total{reason="malformed"}`) == 0 {
		t.Error("no malformed frame is counted")
	}
}

func (w *world) host() string { return strings.TrimPrefix(w.URL, "http://") }

// connect opens a TCP connection that ends with the test.
func (w *world) connect(t *testing.T) net.Conn {
	conn, err := net.Dial("tcp", w.host())
	if err != nil {
		t.Error(err)
		return nil
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// idleConnections say half a word and wait.
func (w *world) idleConnections(t *testing.T) {
	for range 500 {
		if conn := w.connect(t); conn != nil {
			fmt.Fprint(conn, "GET /v1/link HT")
		}
	}
}

// garbage is what is no HTTP at all.
func (w *world) garbage(t *testing.T) {
	for range 50 {
		conn := w.connect(t)
		if conn == nil {
			return
		}
		bytes := make([]byte, 4096)
		rand.Read(bytes)
		conn.Write(bytes) // the server may have hung up already
	}
}

func (w *world) hugeHeaders(t *testing.T) {
	for range 20 {
		if conn := w.connect(t); conn != nil {
			fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n", strings.Repeat("x", 1<<20))
		}
	}
}

// wrongTokens are guesses, each told that it is none.
func (w *world) wrongTokens(t *testing.T) {
	for i := range 200 {
		_, err := ws.Dial(t.Context(), ws.DialConfig{URL: w.URL + "/v1/link", Header: http.Header{"Authorization": {fmt.Sprint("Bearer guess-", i)}}})
		if err == nil || !strings.Contains(err.Error(), "the token is not valid here") {
			t.Errorf("a guess got %v", err)
			return
		}
	}
}

// link opens a link with the token of a role.
func (w *world) link(t *testing.T, role string) *ws.Carrier {
	token, err := os.ReadFile(w.Token(role))
	if err != nil {
		t.Error(err)
		return nil
	}
	c, err := ws.Dial(t.Context(), ws.DialConfig{URL: w.URL + "/v1/link", Header: http.Header{"Authorization": {"Bearer " + strings.TrimSpace(string(token))}}})
	if err != nil {
		t.Error(err)
		return nil
	}
	return c
}

// run serves a link until it is over, for at most a while.
func run(t *testing.T, c *ws.Carrier, send func()) error {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	go send()
	return c.Run(ctx, func([]byte) {})
}

// badPackets come from somebody with a token: who sends nothing but these is cut off.
func (w *world) badPackets(t *testing.T) {
	for _, role := range []string{"viewer", "device"} {
		c := w.link(t, role)
		if c == nil {
			return
		}
		run(t, c, func() {
			for i := range 300 {
				bytes := make([]byte, 1+i)
				rand.Read(bytes)
				c.Send(carrier.Frame{Class: wire.Signal, Bytes: bytes})
				c.Send(carrier.Frame{Class: wire.Signal, Bytes: wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{}, []byte(strings.Repeat("[", 500)))})
			}
		})
	}
}

// signalFlood: a viewer of the same device sends it as many signals as it can.
func (w *world) signalFlood(t *testing.T) {
	c := w.link(t, "viewer")
	if c == nil {
		return
	}
	run(t, c, func() {
		open := []byte(`{"type":"open","device":"board","id":"0b9e4a3c-5d0e-4c3a-9a51-6f7c0f1d2e3f"}`)
		c.Send(carrier.Frame{Class: wire.Signal, Bytes: wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{Conn: 1}, open)})
		body, _ := signal.Message{Type: signal.Candidate, Attempt: 1, Candidate: strings.Repeat("x", 900)}.Append(nil)
		for range 20_000 {
			if !c.Send(carrier.Frame{Class: wire.Signal, Bytes: wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{Conn: 1}, body)}) {
				time.Sleep(time.Millisecond)
			}
		}
	})
}

// foreignPages: another site's page, and one that made its own name point here.
func (w *world) foreignPages(t *testing.T) {
	token, err := os.ReadFile(w.Token("viewer"))
	if err != nil {
		t.Error(err)
		return
	}
	encoded := "telepath.v1, token." + base64.RawURLEncoding.EncodeToString([]byte(strings.TrimSpace(string(token))))
	large := strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct {
		method, path, host, origin, body string
		status                           int
	}{
		"cross-origin link":  {"GET", "/v1/link", "", "http://evil.example", "", 403},
		"no origin":          {"GET", "/v1/link", "", "null", "", 403},
		"rebinding":          {"GET", "/v1/devices", "evil.example", "", "", 403},
		"rebinding, page":    {"GET", "/", "evil.example:80", "", "", 403},
		"cross-origin login": {"POST", "/v1/login", "", "http://evil.example", `{"token":"x"}`, 403},
		"simple form":        {"POST", "/v1/login", "", w.URL, `{"token":"x"}`, 403},
		"large login":        {"POST", "/v1/login", "", "", `{"code":"` + large + `"}`, 413},
	} {
		req, err := http.NewRequest(c.method, w.URL+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Error(err)
			return
		}
		req.Host = c.host
		req.Header.Set("Sec-WebSocket-Protocol", encoded)
		if c.origin != "" {
			req.Header.Set("Origin", c.origin)
		} else {
			req.Header.Set("Telepath-Request", "1")
		}
		answer, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		answer.Body.Close()
		if answer.StatusCode != c.status || answer.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %s", name, answer.Status)
		}
	}
}
