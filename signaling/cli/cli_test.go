package cli

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/settings"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// output is written by the program and read by the test.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func program(ctx context.Context, args ...string) (code int, out, errs *output) {
	out, errs = &output{}, &output{}
	root := Root()
	root.SetOut(out)
	root.SetErr(errs)
	return settings.Run(ctx, root, args), out, errs
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestHelp names what a command cannot do without, in one style.
func TestHelp(t *testing.T) {
	for _, command := range []string{"serve", "login-url"} {
		code, out, _ := program(t.Context(), command, "--help")
		if want := "telepath-signaling " + command + " --data DIR [flags]"; code != 0 || !strings.Contains(out.String(), want) {
			t.Errorf("%s --help exits with %d and does not say %q:\n%s", command, code, want, out)
		}
	}
	for _, cmd := range append(Root().Commands(), Root()) {
		if first := cmd.Short[:1]; first != strings.ToLower(first) {
			t.Errorf("%s: %q does not begin as the other programs' do", cmd.Name(), cmd.Short)
		}
	}
}

// TestServe is the life of a server as scripts see it.
func TestServe(t *testing.T) {
	dir, listen := t.TempDir(), freePort(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &output{}
	root := Root()
	root.SetOut(out)
	root.SetErr(&output{})
	ended := make(chan int, 1)
	go func() { ended <- settings.Run(ctx, root, []string{"serve", "--listen", listen, "--data", dir}) }()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(out.String(), "tokens"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not serve: %s", out)
		}
	}
	_, port, _ := net.SplitHostPort(listen)
	if first, _, _ := strings.Cut(out.String(), "\n"); !strings.HasPrefix(first, "Open http://localhost:"+port+"/#code=") {
		t.Errorf("the first line is %q", first)
	}
	if code, _, errs := program(t.Context(), "healthcheck", "--listen", listen); code != 0 {
		t.Errorf("healthcheck exits %d: %s", code, errs)
	}
	code, url, errs := program(t.Context(), "login-url", "--listen", listen, "--data", dir)
	if code != 0 || !strings.HasPrefix(url.String(), "Open http://"+listen+"/#code=") {
		t.Errorf("login-url exits %d: %s%s", code, url, errs)
	}
	code, _, errs = program(t.Context(), "serve", "--listen", "127.0.0.1:0", "--data", dir)
	if code != 1 || !strings.Contains(errs.String(), "in use by another server") {
		t.Errorf("a second server in the same folder exits %d: %s", code, errs)
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("it exits %d", code)
	}
	if code, _, _ := program(t.Context(), "healthcheck", "--listen", listen); code != 1 {
		t.Errorf("healthcheck of no server exits %d", code)
	}
}

// TestMistakes: each is named, with what to do, and tells usage from failure.
func TestMistakes(t *testing.T) {
	readable := t.TempDir()
	if err := os.MkdirAll(filepath.Join(readable, "tokens"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(readable, "tokens", "admin"), []byte(strings.Repeat("x", 40)), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "server.yaml")
	if err := os.WriteFile(file, []byte("listen: 127.0.0.1:0\nlisten-on: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("north\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	alsoTaken, err := net.ListenPacket("udp", taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer alsoTaken.Close()
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no data":        {[]string{"serve"}, 2, "--data"},
		"no command":     {nil, 2, "serve"},
		"unknown flag":   {[]string{"serve", "--port", "1"}, 2, "--port"},
		"unknown key":    {[]string{"serve", "--data", t.TempDir(), "--config", file}, 2, "server.yaml:2:1"},
		"tls":            {[]string{"serve", "--data", t.TempDir(), "--tls", "yes"}, 2, "self"},
		"readable token": {[]string{"serve", "--listen", "127.0.0.1:0", "--data", readable}, 1, "chmod 600"},
		"port taken":     {[]string{"serve", "--listen", taken.Addr().String(), "--data", t.TempDir()}, 1, "--listen"},
		"open role":      {[]string{"serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--open-role", "admin"}, 2, "viewer or operator"},
		"address":        {[]string{"serve", "--listen", "8080", "--data", t.TempDir()}, 2, "such as :8080"},
		"admin":          {[]string{"serve", "--admin", "localhost", "--data", t.TempDir()}, 2, "--admin"},
		"udp":            {[]string{"serve", "--udp", "8080", "--data", t.TempDir()}, 2, "--udp"},
		"udp taken":      {[]string{"serve", "--listen", "127.0.0.1:0", "--udp", taken.Addr().String(), "--data", t.TempDir()}, 1, "--udp"},
		"announce":       {[]string{"serve", "--announce", "example.org", "--data", t.TempDir()}, 2, "--announce"},
		"key alone":      {[]string{"serve", "--tls-key", "k", "--data", t.TempDir()}, 2, "give both"},
		"two ways":       {[]string{"serve", "--tls", "self", "--tls-cert", "c", "--data", t.TempDir()}, 2, "exclude"},
		"acme":           {[]string{"serve", "--acme", "localhost", "--data", t.TempDir()}, 2, "--acme"},
		"acme and self":  {[]string{"serve", "--acme", "a.example", "--tls", "self", "--data", t.TempDir()}, 2, "--acme"},
		"acme of nobody": {[]string{"serve", "--acme-directory", "https://ca.example", "--data", t.TempDir()}, 2, "--acme"},
		"argument":       {[]string{"serve", "extra", "--data", t.TempDir()}, 2, "takes no arguments"},
		"no certificate": {[]string{"serve", "--listen", "127.0.0.1:0", "--tls-cert", file, "--tls-key", file, "--data", t.TempDir()}, 1, "TLS certificate"},
		"nats":           {[]string{"serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--nats", "nats://127.0.0.1:1"}, 1, "--nats"},
		"nats, password": {[]string{"serve", "--data", t.TempDir(), "--nats", "nats://user:hidden@127.0.0.1:1"}, 2, "TELEPATH_NATS"},
		"turn":           {[]string{"serve", "--data", t.TempDir(), "--turn", "yes"}, 2, "on or off"},
		"turn twice":     {[]string{"serve", "--data", t.TempDir(), "--turn", "off", "--turn-server", "turn:h:1"}, 2, "exclude"},
		"turn's secret":  {[]string{"serve", "--data", t.TempDir(), "--turn-server", "turn:h:1"}, 2, "--turn-secret-file"},
		"turn's URL":     {[]string{"serve", "--data", t.TempDir(), "--turn-server", "stun:h:1", "--turn-secret-file", secret}, 2, "not the URL of a TURN server"},
		"login-url":      {[]string{"login-url", "--data", t.TempDir()}, 1, "token"},
	} {
		code, _, errs := program(t.Context(), c.args...)
		if code != c.code || !strings.Contains(errs.String(), c.says) {
			t.Errorf("%s: exits %d, says %q", name, code, errs)
		}
	}
}
