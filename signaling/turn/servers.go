package turn

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/pion/stun/v4"

	"github.com/telepath-iot/telepath/peer/signal"
)

// Ways are those of reaching an embedded server, at the host by which a client reached the signaling server.
type Ways struct {
	UDP int  // port; 0: none
	TCP int  // port; 0: none
	TLS bool // on the port of TCP, too

	// Own is the port at which clients reach the signaling server, as this
	// machine numbers it: what is on it is told under the number that they used,
	// which a container's host may have mapped. 0: they come through something
	// that passes HTTP alone, and are told the numbers as they are.
	Own int
}

// Servers are what one end of a session is told: where the server is, and
// credentials for it. host is how that end reached the signaling server, HOST
// or HOST:PORT; of an empty one nothing can be told.
func (s *Server) Servers(session, host string) []signal.Server {
	urls := s.cfg.URLs.at(host)
	if len(urls) == 0 {
		return nil
	}
	expires := time.Now().Add(CredentialLife)
	username, password := s.Credentials(session, CredentialLife)
	return []signal.Server{{URLs: urls, Username: username, Credential: password, Expires: uint64(expires.Unix())}}
}

func (w Ways) at(host string) (urls []string) {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = trimBrackets(host), "80"
		if w.TLS {
			port = "443"
		}
	}
	if name == "" {
		return nil
	}
	at := func(n int) string {
		if n == w.Own {
			return net.JoinHostPort(name, port)
		}
		return net.JoinHostPort(name, strconv.Itoa(n))
	}
	if w.UDP != 0 {
		urls = append(urls, "turn:"+at(w.UDP)+"?transport=udp")
	}
	if w.TCP != 0 {
		urls = append(urls, "turn:"+at(w.TCP)+"?transport=tcp")
	}
	if w.TCP != 0 && w.TLS {
		urls = append(urls, "turns:"+at(w.TCP)+"?transport=tcp")
	}
	return urls
}

func trimBrackets(host string) string {
	if len(host) > 1 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}

// External is a TURN server beside this one, such as coturn with
// use-auth-secret, that takes the credentials of its secret.
type External struct {
	urls        []string
	credentials credentials
}

// NewExternal checks the URLs (RFC 7065).
func NewExternal(urls []string, secret string) (*External, error) {
	if len(urls) == 0 || secret == "" {
		return nil, fmt.Errorf("a TURN server needs its URLs and its secret")
	}
	for _, u := range urls {
		if err := CheckURL(u); err != nil {
			return nil, err
		}
	}
	return &External{urls, credentials(secret)}, nil
}

// CheckURL reports what is wrong with the URL of a TURN server.
func CheckURL(url string) error {
	parsed, err := stun.ParseURI(url)
	if err != nil || strings.ContainsAny(url, " \t\r\n") || parsed.Scheme != stun.SchemeTypeTURN && parsed.Scheme != stun.SchemeTypeTURNS {
		return fmt.Errorf("%.100q is not the URL of a TURN server: want turn:HOST:PORT?transport=udp, turn:HOST:PORT?transport=tcp or turns:HOST:PORT?transport=tcp", url)
	}
	return nil
}

// Servers are what one end of a session is told, wherever it is.
func (e *External) Servers(session, _ string) []signal.Server {
	expires := time.Now().Add(CredentialLife)
	username, password := e.credentials.issue(session, expires)
	return []signal.Server{{URLs: e.urls, Username: username, Credential: password, Expires: uint64(expires.Unix())}}
}

// Revoke does nothing: what an external server has allocated ends when its
// credentials do, or when the ends of the session give it back.
func (e *External) Revoke(string) {}
