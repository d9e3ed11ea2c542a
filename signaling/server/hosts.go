package server

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// hosts is the list of names that this server is reached by. A request under
// another name comes from a page that made its own name point here (DNS
// rebinding); one with another page's Origin comes from that page.
type hosts struct {
	allowed map[string]bool // set once: names, and names with port, given by hand

	mu   sync.Mutex
	own  map[string]bool // guarded by mu: the machine's names and addresses
	read time.Time       // guarded by mu
}

// rereadEvery bounds how often an unknown Host makes us look at the
// interfaces: addresses change, but not for whoever sends requests.
const rereadEvery = time.Second

func newHosts(allow []string) *hosts {
	h := &hosts{allowed: make(map[string]bool)}
	for _, name := range allow {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			h.allowed[strings.Trim(name, "[]")] = true
		}
	}
	return h
}

// check refuses a request for another host or from another site's page.
func (h *hosts) check(r *http.Request) *refusal {
	if name, port := splitHost(r.Host); !h.known(name, port) {
		return &refusal{
			code:   "bad-origin",
			reason: fmt.Sprintf("%.80q is not a name of this server", r.Host),
			remedy: "use its address, or start it with --allow-host NAME",
		}
	}
	if origins := r.Header.Values("Origin"); len(origins) > 0 && !h.sameSite(origins, r.Host, requestScheme(r)) {
		return &refusal{
			code:   "bad-origin",
			reason: fmt.Sprintf("a page from %.80q may not talk to this server", origins[0]),
			remedy: "open the dashboard from this server, or start it with --allow-host NAME",
		}
	}
	return nil
}

// known reports whether name, under port, is one of ours.
func (h *hosts) known(name, port string) bool {
	return h.allowed[name] || h.allowed[name+":"+port] || h.isOwn(name)
}

// sameSite reports whether an Origin is ours: one of our names and the port
// that was asked for, or a name given by hand, whose port may differ because
// a proxy stands before us. scheme is that of the request, if it is known:
// a page that came in the clear may not talk to one that came encrypted.
func (h *hosts) sameSite(origins []string, host, scheme string) bool {
	if len(origins) != 1 {
		return false
	}
	u, err := url.Parse(origins[0])
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	if scheme == "https" && u.Scheme != "https" {
		return false
	}
	name, port := splitHost(u.Host)
	if h.allowed[name] || h.allowed[name+":"+port] {
		return true
	}
	_, asked := splitHost(host)
	return h.isOwn(name) && samePort(u.Scheme, port, asked)
}

// samePort compares an Origin's port with a Host's, where each may leave the
// scheme's own out. Of the Host we do not know the scheme behind a proxy.
func samePort(scheme, origin, host string) bool {
	standard := map[string]string{"http": "80", "https": "443"}[scheme]
	if origin == standard {
		origin = ""
	}
	if host == standard {
		host = ""
	}
	return origin == host
}

// splitHost returns name and port in lower case, without brackets and zone.
func splitHost(hostport string) (name, port string) {
	name, port, err := net.SplitHostPort(hostport)
	if err != nil {
		name, port = hostport, ""
	}
	name, _, _ = strings.Cut(strings.Trim(strings.ToLower(name), "[]"), "%")
	return strings.TrimSuffix(name, "."), port
}

func (h *hosts) isOwn(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.own[name] && time.Since(h.read) >= rereadEvery {
		h.own, h.read = ownNames(), time.Now()
	}
	return h.own[name]
}

// ownNames are the machine's name and the addresses of its interfaces.
func ownNames() map[string]bool {
	names := map[string]bool{"localhost": true}
	if name, err := os.Hostname(); err == nil {
		name = strings.ToLower(name)
		names[name], names[name+".local"] = true, true
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil { // no rights to ask: loopback still works
		names["127.0.0.1"], names["::1"] = true, true
	}
	for _, a := range addrs {
		if ipnet, ok := a.(*net.IPNet); ok {
			names[ipnet.IP.String()] = true
		}
	}
	return names
}
