package turn

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/peer/carrier/ws"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// A real coturn with use-auth-secret takes the credentials that the server tells a viewer, and lets the two ends meet; it takes no others.
func TestExternalCoturn(t *testing.T) {
	w := newWorld(t)
	const secret = "north-by-northwest"
	at := netip.AddrPortFrom(w.other.Addr, 3478).String()
	coturn, err := w.Start(w.other, program.Spec{Name: "coturn", Args: []string{
		"turnserver", "-n", "--use-auth-secret", "--static-auth-secret=" + secret, "--realm=turn.example",
		"--listening-ip=" + w.other.Addr.String(), "--relay-ip=" + w.other.Addr.String(), "--no-tls", "--no-dtls", "--no-cli",
		"--log-file=stdout", "--pidfile=" + filepath.Join(w.Dir, "coturn.pid"),
	}})
	must(t, err)
	endWith(t, "coturn", coturn)
	_, err = coturn.WaitFor(regexp.MustCompile(`Total General servers`), patience)
	must(t, err)

	file := filepath.Join(w.Dir, "turn.secret")
	must(t, os.WriteFile(file, []byte(secret+"\n"), 0o600))
	w.start(t, "--turn-server", "turn:"+at+"?transport=udp,turn:"+at+"?transport=tcp", "--turn-secret-file", file)
	device, err := w.StartDevice(w.cli, "board", "--source", "sim")
	must(t, err)
	endWith(t, "device", device)
	must(t, w.AwaitLive(w.cli, "board", patience))

	told := w.opened(t, "board").Servers
	if len(told) != 1 || len(told[0].URLs) != 2 || told[0].URLs[0] != "turn:"+at+"?transport=udp" {
		t.Fatalf("told %+v", told)
	}
	username, credential := told[0].Username, told[0].Credential
	for _, over := range []string{"udp", "tcp"} {
		a, b := join(t, w.cli, over, at, username, credential), join(t, w.cli, over, at, username, credential)
		must(t, b.CreatePermission(a.relayed.LocalAddr()))
		_, err := a.relayed.WriteTo([]byte("sample"), b.relayed.LocalAddr())
		must(t, err)
		b.hear(t, "sample")
		if _, err := tryJoin(t, w.cli, over, at, username, password("another secret", username)); err == nil {
			t.Errorf("%s: coturn takes any credentials: nothing was shown", over)
		}
	}
}

// opened opens a Conn on a link of the test's own and returns what the server says first.
func (w *world) opened(t *testing.T, device string) signal.Message {
	t.Helper()
	name, err := json.Marshal(device)
	must(t, err)
	open, err := signal.Message{Type: signal.Open, Device: name, ID: uuid.NewString()}.Append(nil)
	must(t, err)
	token, err := os.ReadFile(w.Token("viewer"))
	must(t, err)
	link, err := ws.Dial(t.Context(), ws.DialConfig{
		URL: w.URL + "/v1/link",
		Header: http.Header{
			"Authorization": {"Bearer " + strings.TrimSpace(string(token))},
			"Telepath-Open": {base64.RawURLEncoding.EncodeToString(open)},
		},
		DialContext: func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
			err = w.cli.Enter(func() error {
				conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
				return err
			})
			return conn, err
		},
	})
	must(t, err)
	said := make(chan signal.Message, 1)
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	go link.Run(ctx, func(packet []byte) {
		for len(packet) > 0 {
			f, rest, err := wire.NextFrame(packet)
			if err != nil {
				return
			}
			packet = rest
			if m, err := signal.Parse(f.Body); f.Type == wire.TypeSignal && err == nil && m.Type == signal.Opened {
				select {
				case said <- m:
				default:
				}
			}
		}
	})
	select {
	case m := <-said:
		return m
	case <-ctx.Done():
		t.Fatal("the server has not answered")
	}
	return signal.Message{}
}
