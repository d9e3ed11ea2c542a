package peer

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
)

// Endpoint is a signaling server, how to be let in, and which way to go there.
type Endpoint struct {
	URL   string       // http://HOST[:PORT][/PREFIX] or https://…
	Token string       // of the role device for a Host, viewer or more for a Conn; empty where the server is open
	TLS   *tls.Config  // default: the system's authorities
	Log   *slog.Logger // default: nothing is logged

	Proxy  string        // http://[USER:PASSWORD@]HOST:PORT, or ProxyNone; default: as the environment says
	Only   []ladder.Rung // paths that may carry; default: all
	Memory Memory        // of what works on which network; default: this process remembers

	// Network calls changed whenever this machine's network has changed, until
	// ctx ends: network.Watch. Default: nobody looks.
	Network func(ctx context.Context, changed func())
}

// ProxyNone as Endpoint.Proxy is no proxy at all, whatever the environment says.
const ProxyNone = "none"

// linkPath is where the server takes links (docs/protocol.md, section 1).
const linkPath = "/v1/link"

// linkURL is the WebSocket URL of the endpoint's links.
func (e Endpoint) linkURL() (string, error) {
	u, err := url.Parse(e.URL)
	if err != nil {
		return "", fmt.Errorf("server URL: %w", err)
	}
	switch u.Scheme {
	case "http", "ws":
		u.Scheme = "ws"
	case "https", "wss":
		u.Scheme = "wss"
	default:
		return "", fmt.Errorf("server URL %q: want http://HOST:PORT or https://HOST:PORT", e.URL)
	}
	if u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", fmt.Errorf("server URL %q: want scheme, host, port and at most a path", e.URL)
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + linkPath
	return u.String(), nil
}

// may reports whether a path of that rung may carry.
func (e Endpoint) may(rung ladder.Rung) bool {
	if len(e.Only) == 0 {
		return !slices.Contains(onAsking, rung)
	}
	return slices.Contains(e.Only, rung)
}

// mayListen reports whether a device that was told where to listen may: that is asking for the rung.
func (e Endpoint) mayListen() bool { return len(e.Only) == 0 || e.may(ladder.TCP) }

// onAsking are rungs that carry only where Only names them. On `tcp` a viewer
// connects to addresses that a device tells (ADR 0028).
var onAsking = []ladder.Rung{ladder.TCP}

func (e Endpoint) log() *slog.Logger {
	if e.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return e.Log
}

// RefusedError is the server's or the device's refusal: what happened and
// what to do about it.
type RefusedError struct {
	Code           string // a name of wire.Codes
	Reason, Remedy string
	Candidates     []signal.Device // where a device name is unknown or ambiguous
}

// Error implements error.
func (e *RefusedError) Error() string {
	text := e.Reason
	if text == "" {
		text = "refused: " + e.Code
	}
	if e.Remedy != "" {
		text += " (" + e.Remedy + ")"
	}
	return text
}
