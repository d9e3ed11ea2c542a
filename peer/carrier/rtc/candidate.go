package rtc

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/pion/webrtc/v4"
	"github.com/telepath-iot/telepath/peer/wire"
)

// maxCandidates is how many of the other end are tried. pion knows no bound,
// and each is tried with each of ours: a description of a thousand would make
// us scan a network for its author.
const maxCandidates = 20

// candidate is a candidate of the other end as it came.
type candidate struct{ text, mid string }

// remoteCandidates holds back those that come before the description, and
// counts all that were accepted.
type remoteCandidates struct {
	mu       sync.Mutex
	told     bool        // guarded by mu: the description is set
	early    []candidate // guarded by mu, at most maxCandidates
	accepted int         // guarded by mu
	tcp      bool        // guarded by mu: of these, one over TCP
}

// described returns what was held back.
func (r *remoteCandidates) described() []candidate {
	r.mu.Lock()
	defer r.mu.Unlock()
	early := r.early
	r.told, r.early = true, nil
	return early
}

// holds reports whether c must wait for the description.
func (r *remoteCandidates) holds(c candidate) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told {
		return false
	}
	if len(r.early) < maxCandidates {
		r.early = append(r.early, c)
	}
	return true
}

// admit counts one more, up to the bound.
func (r *remoteCandidates) admit(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.accepted >= maxCandidates {
		return false
	}
	r.accepted++
	r.tcp = r.tcp || isTCP(text)
	return true
}

// overTCP reports whether the other end listens.
func (r *remoteCandidates) overTCP() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tcp
}

// count is how many were accepted.
func (r *remoteCandidates) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.accepted
}

// errCandidate is why a candidate was not used, where the caller can go on.
var errManyCandidates = fmt.Errorf("the other end has more than %d candidates: the rest is not tried", maxCandidates)

// AddCandidate takes a candidate of the other end, a candidate-attribute of
// RFC 8839 section 5.1 or "" for no more, before or after the description. An
// error says why it is not used; the connection goes on without it.
func (p *Peer) AddCandidate(text, mid string) error {
	if len(text) > wire.MaxCandidate {
		return fmt.Errorf("the candidate has %d bytes, more than %d", len(text), wire.MaxCandidate)
	}
	if p.remote.holds(candidate{text, mid}) {
		return nil
	}
	return p.addCandidate(text, mid)
}

func (p *Peer) addCandidate(text, mid string) error {
	text = strings.TrimPrefix(strings.TrimPrefix(text, "a="), "candidate:")
	if text != "" {
		clean, err := p.cfg.checkCandidate(text)
		if err != nil {
			return fmt.Errorf("candidate %q: %w", text, err)
		}
		if !p.remote.admit(clean) {
			return errManyCandidates
		}
		text = clean
	}
	init := webrtc.ICECandidateInit{Candidate: text}
	if mid != "" {
		init.SDPMid = &mid
	}
	return p.pc.AddICECandidate(init)
}

// checkCandidate passes a candidate of the grammar
//
//	foundation "1" transport priority address port "typ" type [raddr …]
//
// that belongs to this kind of connection, and returns it without its
// extensions. transport is "udp", or, where DialTCP says so, "tcp" with the
// extension `tcptype passive` (RFC 6544, section 4.5).
func (cfg Config) checkCandidate(text string) (string, error) {
	f := strings.Fields(text)
	if len(f) < 8 {
		return "", errors.New("has fewer than eight fields")
	}
	switch {
	case !isIceChars(f[0]):
		return "", errors.New("its foundation is malformed")
	case f[1] != "1":
		return "", errors.New("its component is not 1: data channels have one")
	case !cfg.usesTransport(f):
		return "", fmt.Errorf("transport %q is not used", f[2])
	case !isNumber(f[3], 32):
		return "", errors.New("its priority is malformed")
	case !isNumber(f[5], 16) || f[5] == "0":
		return "", errors.New("its port is malformed")
	case f[6] != "typ":
		return "", errors.New("its type is missing")
	}
	if err := cfg.checkType(f[7]); err != nil {
		return "", err
	}
	if err := cfg.checkAddress(f[4], f[5], f[7]); err != nil {
		return "", err
	}
	if isTCP(text) && !cfg.server && !mayDial(f[4], f[5]) {
		return "", fmt.Errorf("TCP port %s may be a service's", f[5])
	}
	clean := append(f[:8:8], related(f[7])...)
	if isTCP(text) {
		clean = append(clean, "tcptype", "passive")
	}
	return strings.Join(clean, " "), nil
}

// usesTransport reports whether a candidate of eight fields or more is over
// something that we use.
func (cfg Config) usesTransport(f []string) bool {
	if strings.EqualFold(f[2], "udp") {
		return !cfg.NoUDP
	}
	passive := len(f) >= 10 && f[7] == "host" && f[8] == "tcptype" && f[9] == "passive"
	return cfg.DialTCP && !cfg.RelayOnly && strings.EqualFold(f[2], "tcp") && passive
}

// lowPorts are those below which no TCP connection is made, two at public
// addresses aside: a candidate must not lead us to a machine's own services.
// Browsers draw the same line.
const lowPorts = 1024

// mayDial reports whether a TCP port at an address, which may be a name, is none of a machine's own services.
func mayDial(address, port string) bool {
	a, err := netip.ParseAddr(address)
	n, _ := strconv.Atoi(port)
	return n >= lowPorts || (n == 80 || n == 443) && err == nil && !a.Unmap().IsPrivate() && !a.IsLoopback()
}

// related is the related address that all but host candidates must have. The
// real one is of no use to us, so it is replaced by none (RFC 8839, 5.1).
func related(kind string) []string {
	if kind == "host" {
		return nil
	}
	return []string{"raddr", "0.0.0.0", "rport", "9"}
}

// checkType lets through what belongs to the kind of connection.
func (cfg Config) checkType(kind string) error {
	switch kind {
	case "relay":
		if !cfg.RelayOnly {
			return errors.New("a relayed address does not belong to a direct connection")
		}
	case "host", "srflx", "prflx":
		if cfg.RelayOnly {
			return fmt.Errorf("type %q does not belong to a turned connection, which takes relayed addresses alone", kind)
		}
	default:
		return fmt.Errorf("type %q is unknown", kind)
	}
	return nil
}

func (cfg Config) checkAddress(address, port, kind string) error {
	a, err := netip.ParseAddr(address)
	switch {
	case err != nil && kind == "host" && isMDNS(address):
		return nil // what it resolves to is filtered when it is known
	case err != nil:
		return errors.New("its address is malformed")
	case a.Zone() != "" || !cfg.allows(a):
		return fmt.Errorf("address %v is not allowed", a)
	case slices.ContainsFunc(cfg.Own, func(own netip.AddrPort) bool {
		return own.Addr().Unmap() == a.Unmap() && strconv.Itoa(int(own.Port())) == port
	}):
		return fmt.Errorf("the server itself listens at %v:%s", a, port)
	}
	return nil
}

// isMDNS reports whether name is a browser's stand-in for an address: one
// label and ".local" (draft-ietf-mmusic-mdns-ice-candidates, section 3.1.1).
func isMDNS(name string) bool {
	first, ok := strings.CutSuffix(name, ".local")
	if !ok || first == "" || len(first) > 63 {
		return false
	}
	for _, c := range first {
		if !isAlnum(c) && c != '-' {
			return false
		}
	}
	return true
}

func isIceChars(s string) bool {
	for _, c := range s {
		if !isAlnum(c) && c != '+' && c != '/' {
			return false
		}
	}
	return len(s) <= 32 // and ≥ 1: a field is not empty
}

func isAlnum(c rune) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isNumber(s string, bits int) bool {
	_, err := strconv.ParseUint(s, 10, bits)
	return err == nil && s[0] != '+'
}
