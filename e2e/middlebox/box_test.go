package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// start runs a box before a server and returns the box's address.
func start(t *testing.T, cfg Config, server *httptest.Server) string {
	t.Helper()
	cfg.To = server.Listener.Addr().String()
	box, err := New(cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan error)
	go func() { over <- box.Run(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// serverFor serves one handler on a connection each.
func serverFor(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// echo answers an upgrade with 101 and says everything back, and other requests with their Connection and Upgrade.
func echo(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Connection"), "upgrade") || r.Header.Get("Upgrade") == "" {
		w.Header().Set("Seen", r.Header.Get("Connection")+","+r.Header.Get("Upgrade"))
		w.WriteHeader(http.StatusUpgradeRequired)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	_, _ = io.Copy(conn, rw)
}

// upgrade asks for an upgrade and returns the connection and the answer's headers.
func upgrade(t *testing.T, addr string) (net.Conn, *bufio.Reader, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: example\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	must(t, err)
	reader := bufio.NewReader(conn)
	answer, err := http.ReadResponse(reader, nil)
	must(t, err)
	return conn, reader, answer
}

// comesBack says whether a word returns within the time.
func comesBack(t *testing.T, conn net.Conn, reader *bufio.Reader, within time.Duration) bool {
	t.Helper()
	_, err := io.WriteString(conn, "word\n")
	must(t, err)
	must(t, conn.SetReadDeadline(time.Now().Add(within)))
	line, err := reader.ReadString('\n')
	return err == nil && line == "word\n"
}

func TestOpen(t *testing.T) {
	conn, reader, answer := upgrade(t, start(t, Config{}, serverFor(t, echo)))
	if answer.StatusCode != 101 || !comesBack(t, conn, reader, time.Second) {
		t.Errorf("an open box lets no upgrade through: %s", answer.Status)
	}
}

func TestStripUpgrade(t *testing.T) {
	_, _, answer := upgrade(t, start(t, Config{StripUpgrade: true}, serverFor(t, echo)))
	if answer.StatusCode != http.StatusUpgradeRequired || answer.Header.Get("Seen") != "," {
		t.Errorf("%s, the server saw %q", answer.Status, answer.Header.Get("Seen"))
	}
}

func TestRewriteConnection(t *testing.T) {
	for _, to := range []string{"close", "keep-alive"} {
		_, _, answer := upgrade(t, start(t, Config{RewriteConnection: to}, serverFor(t, echo)))
		if answer.StatusCode != http.StatusUpgradeRequired || answer.Header.Get("Seen") != to+",echo" {
			t.Errorf("%s, the server saw %q", answer.Status, answer.Header.Get("Seen"))
		}
	}
}

func TestStall101(t *testing.T) {
	conn, reader, answer := upgrade(t, start(t, Config{Stall101: true}, serverFor(t, echo)))
	if answer.StatusCode != 101 {
		t.Fatal(answer.Status)
	}
	if comesBack(t, conn, reader, 300*time.Millisecond) {
		t.Error("a word came through")
	}
}

// drip says a word, waits to be let on, and says another.
func drip(t *testing.T, on <-chan struct{}) *httptest.Server {
	return serverFor(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-on:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, "last")
	})
}

func TestBufferHoldsUntilTheEnd(t *testing.T) {
	on := make(chan struct{})
	addr := start(t, Config{Buffer: true, BufferSize: 1 << 20, BufferTime: time.Minute}, drip(t, on))
	began := time.Now()
	time.AfterFunc(200*time.Millisecond, func() { close(on) })
	answer, err := http.Get("http://" + addr)
	must(t, err)
	defer answer.Body.Close()
	if held := time.Since(began); held < 200*time.Millisecond {
		t.Errorf("headers came after %v, before the answer had ended", held)
	}
	if body, err := io.ReadAll(answer.Body); string(body) != "firstlast" || err != nil {
		t.Errorf("%q %v", body, err)
	}
}

func TestBufferHasBounds(t *testing.T) {
	for name, cfg := range map[string]Config{
		"size": {Buffer: true, BufferSize: 3, BufferTime: time.Minute},
		"time": {Buffer: true, BufferSize: 1 << 20, BufferTime: 50 * time.Millisecond},
	} {
		on := make(chan struct{})
		answer, err := http.Get("http://" + start(t, cfg, drip(t, on)))
		must(t, err)
		word := make([]byte, 5)
		if _, err := io.ReadFull(answer.Body, word); string(word) != "first" || err != nil {
			t.Errorf("%s: %q %v", name, word, err)
		}
		close(on)
		if rest, err := io.ReadAll(answer.Body); string(rest) != "last" || err != nil {
			t.Errorf("%s: %q %v", name, rest, err)
		}
		answer.Body.Close()
	}
}

func TestCutIdle(t *testing.T) {
	conn, reader, _ := upgrade(t, start(t, Config{CutIdle: 200 * time.Millisecond}, serverFor(t, echo)))
	for range 5 { // what moves is not cut
		time.Sleep(100 * time.Millisecond)
		if !comesBack(t, conn, reader, time.Second) {
			t.Fatal("cut although words went to and fro")
		}
	}
	must(t, conn.SetReadDeadline(time.Now().Add(2*time.Second)))
	if _, err := reader.ReadByte(); err != io.EOF {
		t.Errorf("a resting connection ended with %v", err)
	}
}

func TestCapBody(t *testing.T) {
	addr := start(t, Config{CapBody: 100}, serverFor(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	for size, want := range map[int]int{100: 200, 101: 413} {
		for _, body := range []io.Reader{
			strings.NewReader(strings.Repeat("x", size)),
			io.MultiReader(strings.NewReader(strings.Repeat("x", size))), // of unknown length: chunked
		} {
			answer, err := http.Post("http://"+addr, "text/plain", body)
			must(t, err)
			answer.Body.Close()
			if answer.StatusCode != want {
				t.Errorf("%d bytes: %s", size, answer.Status)
			}
		}
	}
}

func TestInterceptTLSAndKillH2(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) }))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	addr := start(t, Config{InterceptTLS: true, CAFile: ca}, server)
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: trust(t, ca), ForceAttemptHTTP2: true}}
	answer, err := trusting.Get("https://" + addr)
	must(t, err)
	body, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	if string(body) != addr || answer.ProtoMajor != 2 || !strings.Contains(answer.TLS.PeerCertificates[0].Issuer.String(), "Inspection") {
		t.Errorf("%q over %s from %v", body, answer.Proto, answer.TLS.PeerCertificates[0].Issuer)
	}
	if _, err := http.Get("https://" + addr); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a client that does not trust the box gets %v", err)
	}

	addr = start(t, Config{InterceptTLS: true, KillH2: true, CAFile: ca}, server)
	two := &http.Client{Transport: &http.Transport{TLSClientConfig: trust(t, ca), ForceAttemptHTTP2: true}}
	if answer, err := two.Get("https://" + addr); err == nil {
		t.Errorf("HTTP/2 came through: %s", answer.Proto)
	}
	one := &http.Client{Transport: &http.Transport{TLSClientConfig: trust(t, ca), TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}}
	if _, err := one.Get("https://" + addr); err != nil {
		t.Errorf("HTTP/1.1: %v", err)
	}
}

func TestKillH2Preface(t *testing.T) {
	addr := start(t, Config{KillH2: true}, serverFor(t, echo))
	conn, err := net.Dial("tcp", addr)
	must(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	must(t, err)
	if _, err = conn.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("the preface was answered with %v", err)
	}
	if _, _, answer := upgrade(t, addr); answer.StatusCode != 101 {
		t.Errorf("HTTP/1.1: %s", answer.Status)
	}
}

// TLS that is not opened goes through as it is: the client sees the server's own certificate.
func TestPassesTLSOn(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(echo))
	defer server.Close()
	addr := start(t, Config{StripUpgrade: true}, server)
	client := server.Client()
	client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	answer, err := client.Get(server.URL)
	must(t, err)
	answer.Body.Close()
	if !answer.TLS.PeerCertificates[0].Equal(server.Certificate()) {
		t.Error("the certificate is another one")
	}
}

// What is sent is taken at once; it comes at the rate of the hop, and connections share that.
func TestSlow(t *testing.T) {
	const rate, size = 400_000, 5_000 // 100 ms each way
	taken := make(chan time.Duration, 2)
	addr := start(t, Config{Slow: rate}, serverFor(t, func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		_, _ = io.WriteString(w, strings.Repeat("x", size))
		taken <- time.Since(began)
	}))
	began := time.Now()
	got := make(chan time.Duration)
	for range 2 {
		go func() {
			answer, err := http.Get("http://" + addr)
			if err == nil {
				_, _ = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
			got <- time.Since(began)
		}()
	}
	first, second := <-got, <-got
	if second < 200*time.Millisecond || second > 800*time.Millisecond {
		t.Errorf("2 x %d bytes came after %v and %v at %v", size, first, second, time.Duration(rate))
	}
	if a, b := <-taken, <-taken; max(a, b) > 50*time.Millisecond {
		t.Errorf("the box took %v and %v to swallow", a, b)
	}
}

func TestRates(t *testing.T) {
	for text, want := range map[string]rate{"64kbit": 64_000, "2mbit": 2_000_000, "9600bit": 9600} {
		var r rate
		if err := r.Set(text); err != nil || r != want {
			t.Errorf("%s: %v %v", text, r, err)
		}
	}
	for _, text := range []string{"", "64", "kbit", "-1bit", "0bit"} {
		if err := new(rate).Set(text); err == nil {
			t.Errorf("%q is a rate", text)
		}
	}
}

func trust(t *testing.T, file string) *tls.Config {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(data)
	return &tls.Config{RootCAs: pool}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
