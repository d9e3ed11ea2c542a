package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier/web"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// maxLogin is the size of a login request, in bytes: a code or a token.
const maxLogin = 4 << 10

// requestHeader must be in every POST. A page of another site cannot send it
// without asking first (CORS), and we answer no such question.
const requestHeader = "Telepath-Request"

// session is the answer to a login.
type session struct {
	Token   string    `json:"token"`
	Role    auth.Role `json:"role"`
	Expires time.Time `json:"expires"`
}

// serveLogin trades a login code or a token for a session.
func (s *Server) serveLogin(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Code, Token string }
	if problem := s.readPost(w, r, &asked); problem != nil {
		s.refuse(w, problem)
		return
	}
	addr := address(r)
	if again, ok := s.auth.Try(addr); !ok {
		s.refuse(w, &refusal{code: "rate-limited", reason: "too many wrong codes came from this address", remedy: waitFor(again), again: again})
		return
	}
	granted, problem := s.login(asked.Code, asked.Token)
	if problem != nil {
		s.refuse(w, problem)
		return
	}
	s.auth.Right(addr)
	answer(w, http.StatusOK, granted)
}

// waitFor says it to a person: 9m57.3s is for programs.
func waitFor(again time.Duration) string {
	if again <= time.Minute {
		return fmt.Sprintf("wait %.0f s", math.Ceil(again.Seconds()))
	}
	return fmt.Sprintf("wait %.0f minutes", math.Ceil(again.Minutes()))
}

func (s *Server) login(code, token string) (session, *refusal) {
	if code != "" {
		role, ok := s.auth.Redeem(code)
		if !ok {
			return session{}, &refusal{code: "unauthorized", reason: "the login code is wrong, used up, or older than 10 minutes", remedy: "get a new link with `telepath-signaling login-url --data DIR`, or paste a token"}
		}
		return s.newSession(role), nil
	}
	id, ok := s.auth.Check(strings.TrimSpace(token))
	switch {
	case !ok:
		return session{}, &refusal{code: "unauthorized", reason: "the token is not valid here", remedy: "paste the contents of this server's DIR/tokens/viewer, operator or admin"}
	case !id.Role.Watches():
		return session{}, &refusal{code: "forbidden", reason: "this is a device's token, which cannot watch", remedy: "paste the token of a viewer, operator or admin"}
	case !id.Expires.IsZero(): // it is a session already
		return session{token, id.Role, id.Expires}, nil
	}
	return s.newSession(id.Role), nil
}

func (s *Server) newSession(role auth.Role) session {
	token, expires := s.auth.NewSession(role)
	return session{token, role, expires}
}

// readPost reads a small JSON body after the checks that every POST gets.
func (s *Server) readPost(w http.ResponseWriter, r *http.Request, to any) *refusal {
	if problem := s.admit(r); problem != nil {
		return problem
	}
	if r.Header.Get(requestHeader) != "1" {
		return &refusal{code: "forbidden", reason: "the header " + requestHeader + ": 1 is missing", remedy: "send it; it shows that no foreign page made this request"}
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxLogin)).Decode(to)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &refusal{code: "too-large", reason: fmt.Sprintf("the body has more than %d bytes", maxLogin), remedy: "send a code or a token"}
	}
	if err != nil {
		return &refusal{code: "malformed", reason: "the body is not a JSON object: " + err.Error(), remedy: "see docs/protocol.md"}
	}
	return nil
}

// admit applies what every request to the API must keep to: the rate, and
// that one without an Origin comes with a token, as no browser's does.
func (s *Server) admit(r *http.Request) *refusal {
	if !s.gate.mayAsk(r) {
		return tooFast()
	}
	if r.Method == http.MethodPost && !onPurpose(r.Header) {
		return &refusal{code: "bad-origin", reason: "the request has neither Origin nor Authorization", remedy: "send Authorization: Bearer TOKEN"}
	}
	return nil
}

// onPurpose reports whether a request has a header that a browser sets, or
// one that it lets no page of another site set.
func onPurpose(h http.Header) bool {
	for _, name := range []string{"Origin", "Authorization", requestHeader, web.HeaderLink} {
		if h.Get(name) != "" {
			return true
		}
	}
	return false
}

func tooFast() *refusal {
	return &refusal{code: "rate-limited", reason: "too many requests from this address", remedy: "wait a second", again: time.Second}
}

// serveLoginCodes makes a new login URL.
func (s *Server) serveLoginCodes(w http.ResponseWriter, r *http.Request) {
	if problem := s.require(r, auth.Admin); problem != nil {
		s.refuse(w, problem)
		return
	}
	scheme := s.scheme()
	if overTLS(r) {
		scheme = "https"
	}
	url, expires := s.loginURL(scheme + "://" + r.Host)
	answer(w, http.StatusOK, struct {
		URL     string    `json:"url"`
		Expires time.Time `json:"expires"`
	}{url, expires})
}

// require refuses who has not at least the role.
func (s *Server) require(r *http.Request, role auth.Role) *refusal {
	if problem := s.admit(r); problem != nil {
		return problem
	}
	id, ok := s.identify(bearer(r))
	switch {
	case !ok:
		return &refusal{code: "unauthorized", reason: "a valid token is missing", remedy: "send Authorization: Bearer TOKEN with the contents of DIR/tokens/" + string(role)}
	case !id.Role.Includes(role):
		return &refusal{code: "forbidden", reason: "the role " + string(id.Role) + " may not do this", remedy: "use the token of role " + string(role)}
	}
	if bearer(r) != "" {
		s.gate.know(r)
	}
	return nil
}

func bearer(r *http.Request) string {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// LoginURLs are links with one fresh login code, the first for this machine,
// the others for the rest of the network.
func (s *Server) LoginURLs() []string {
	var bases []string
	for _, host := range s.reachable() {
		bases = append(bases, s.scheme()+"://"+host)
	}
	first, _ := s.loginURL(bases[0])
	urls := []string{first}
	_, fragment, _ := strings.Cut(first, "/#")
	for _, base := range bases[1:] {
		urls = append(urls, base+s.cfg.PathPrefix+"/#"+fragment)
	}
	return urls
}

func (s *Server) loginURL(base string) (url string, expires time.Time) {
	code, expires := s.auth.NewCode(auth.Operator)
	return base + s.cfg.PathPrefix + "/#code=" + code, expires
}

func (s *Server) scheme() string {
	if s.tls != nil {
		return "https"
	}
	return "http"
}

// maxAddressesShown: a container host may have dozens.
const maxAddressesShown = 4

// reachable lists HOST:PORT under which the server listens.
func (s *Server) reachable() []string {
	host, port, _ := net.SplitHostPort(s.Addr().String())
	if len(s.cfg.ACME) > 0 {
		return certified(s.cfg.ACME, port)
	}
	if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() && !ip.IsLoopback() {
		return []string{net.JoinHostPort(host, port)}
	} else if ip != nil && ip.IsLoopback() {
		return []string{net.JoinHostPort("localhost", port), net.JoinHostPort(host, port)}[:loopbackNames(ip)]
	}
	hosts := []string{net.JoinHostPort("localhost", port)}
	for _, ip := range lanAddresses() {
		hosts = append(hosts, net.JoinHostPort(ip, port))
	}
	return hosts[:min(len(hosts), maxAddressesShown)]
}

// certified are names that an authority certifies, with the port unless it is HTTPS's own.
func certified(names []string, port string) (hosts []string) {
	for _, name := range names {
		if port != "443" {
			name = net.JoinHostPort(name, port)
		}
		hosts = append(hosts, name)
	}
	return hosts
}

// loopbackNames: localhost may mean ::1, where who listens on 127.0.0.1 is not.
func loopbackNames(ip net.IP) int {
	if ip.Equal(net.IPv4(127, 0, 0, 1)) {
		return 1
	}
	return 2
}

// lanAddresses are the machine's IPv4 addresses beside loopback.
func lanAddresses() (ips []string) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		if ipnet, ok := a.(*net.IPNet); ok && ipnet.IP.To4() != nil && ipnet.IP.IsGlobalUnicast() {
			ips = append(ips, ipnet.IP.String())
		}
	}
	slices.Sort(ips)
	return ips
}
