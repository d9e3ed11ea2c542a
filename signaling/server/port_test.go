package server

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/telepath-iot/telepath/signaling/auth"
	"github.com/telepath-iot/telepath/signaling/port"
)

// TestHTTPOnTLSPort: browsers are sent to https://, others are told, and no token is taken.
func TestHTTPOnTLSPort(t *testing.T) {
	s := start(t, Config{TLSSelf: true})
	plain := "http://" + s.Addr().String()
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for name, c := range map[string]struct {
		method, path string
		header       http.Header
		host         string
		status       int
	}{
		"a page":        {"GET", "/x?only=sse", nil, "", http.StatusTemporaryRedirect},
		"another host":  {"GET", "/", nil, "evil.example", http.StatusForbidden},
		"a token":       {"GET", "/v1/devices", http.Header{"Authorization": {"Bearer " + s.token(t, auth.Viewer)}}, "", http.StatusForbidden},
		"a WebSocket":   {"GET", "/v1/link", http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}, "", http.StatusForbidden},
		"something new": {"POST", "/v1/login", nil, "", http.StatusForbidden},
	} {
		req, err := http.NewRequest(c.method, plain+c.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if c.header != nil {
			req.Header = c.header
		}
		req.Host = c.host
		answer, err := client.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != c.status || c.status == http.StatusForbidden && !strings.Contains(string(body), "remedy") {
			t.Errorf("%s: %d %s", name, answer.StatusCode, body)
		}
		if to := answer.Header.Get("Location"); c.status != http.StatusForbidden && to != s.url+c.path {
			t.Errorf("%s: sent to %q", name, to)
		}
	}
}

// piecewise writes one byte at a time.
type piecewise struct{ net.Conn }

func (c piecewise) Write(b []byte) (int, error) {
	for i := range b {
		if _, err := c.Conn.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

// TestOnePort serves at once, plain and with TLS, from clients that send a byte
// at a time: the page, a WebSocket, an event stream, a poll, TURN, and ICE
// where there is no TLS around it.
func TestOnePort(t *testing.T) {
	page := fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}}
	for _, cfg := range []Config{{Dashboard: page}, {Dashboard: page, TLSSelf: true}} {
		s := start(t, cfg)
		ice := echoes(t, s.tcp.Listener(port.ICE))
		defer ice()
		t.Run(s.scheme(), func(t *testing.T) {
			token := "Authorization: Bearer " + s.token(t, auth.Viewer) + "\r\n"
			link := token + "Telepath-Link: %dAAAAAAAAAAAAAAAAAAAAA\r\n"
			const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
				"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: telepath.v1\r\n"
			for name, c := range map[string]struct{ request, answer string }{
				"page": {"GET / HTTP/1.1\r\n", "HTTP/1.1 200 "},
				"ws":   {"GET /v1/link HTTP/1.1\r\n" + token + upgrade, "HTTP/1.1 101 "},
				"sse":  {"GET /v1/link/sse HTTP/1.1\r\n" + fmt.Sprintf(link, 1), "HTTP/1.1 200 "},
				"poll": {"POST /v1/link/poll HTTP/1.1\r\nContent-Length: 0\r\nTelepath-Seq: 1\r\n" + fmt.Sprintf(link, 2), "HTTP/1.1 200 "},
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					s.sayPiecewise(t, c.request+"Host: "+s.Addr().String()+"\r\n\r\n", c.answer)
				})
			}
			t.Run("turn", func(t *testing.T) {
				t.Parallel()
				s.sayPiecewise(t, allocate, "\x01\x13") // an error: who are you?
			})
			t.Run("ice", func(t *testing.T) {
				t.Parallel()
				if cfg.TLSSelf {
					t.Skip("nothing does ICE in TLS")
				}
				s.sayPiecewise(t, framedCheck, framedCheck)
			})
		})
	}
}

// The first bytes of TURN and of ICE-TCP: an Allocate without attributes, and a Binding in its frame.
const (
	allocate    = "\x00\x03\x00\x00\x21\x12\xa4\x42transaction!"
	framedCheck = "\x00\x14\x00\x01\x00\x00\x21\x12\xa4\x42transaction!"
)

// sayPiecewise sends a request a byte at a time, inside TLS too, and expects how its answer begins.
func (r *running) sayPiecewise(t *testing.T, request, answer string) {
	t.Helper()
	conn, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	conn = piecewise{conn}
	if r.tls != nil {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(answer))
	if _, err := io.ReadFull(bufio.NewReader(conn), got); err != nil || string(got) != answer {
		t.Fatalf("%q, %v", got, err)
	}
}

// echoes serves a side by sending back what it reads; stop waits.
func echoes(t *testing.T, l net.Listener) (stop func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, len(framedCheck))
			conn.SetDeadline(time.Now().Add(patience))
			n, _ := io.ReadFull(conn, buf[:len(allocate)])
			if buf[1] == 0x14 { // behind a frame's length there is more
				m, _ := io.ReadFull(conn, buf[n:])
				n += m
			}
			conn.Write(buf[:n])
			conn.Close()
		}
	}()
	return func() {
		l.Close()
		<-done
	}
}
