package server

import (
	"net/http"
	"slices"
	"strings"
)

// upgradeLost answers a request for a link that is not asking for a WebSocket:
// something between has taken that away. The code tells a client that the
// server is there, and that other rungs may get through.
func upgradeLost(r *http.Request) *refusal {
	if hasToken(r, "Connection", "upgrade") && hasToken(r, "Upgrade", "websocket") {
		return nil
	}
	return &refusal{
		code: "no-upgrade", reason: "the request came without a WebSocket upgrade",
		remedy: "a reverse proxy needs the lines of docs/reverse-proxy.md; without WebSockets there are /v1/link/sse and /v1/link/poll",
	}
}

// hasToken looks in a header that is a list (RFC 9110, section 5.6.1).
func hasToken(r *http.Request, header, token string) bool {
	return slices.ContainsFunc(r.Header.Values(header), func(list string) bool {
		for item := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(item), token) {
				return true
			}
		}
		return false
	})
}
