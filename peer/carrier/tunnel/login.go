package tunnel

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// login is how a proxy wants user and password, once it has said so, and
// whether it takes them. One that is refused is one try, however many
// connections want to be made at that moment: those wait for its outcome.
type login struct {
	turn chan struct{} // one place: held while a password is sent that nobody knows to be right

	mu     sync.Mutex
	method method // nil: the proxy has not asked
	proved bool   // user and password were taken
	wrong  *carrier.Failure
}

// method makes the value of Proxy-Authorization for a CONNECT.
type method interface {
	authorize(user, password, addr string) string
	String() string // the scheme's name
}

type basic struct{}

func (basic) String() string { return "Basic" }

func (basic) authorize(user, password, _ string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func (d *digest) String() string { return "Digest" }

func (d *digest) authorize(user, password, addr string) string {
	return d.header(user, password, http.MethodConnect, addr)
}

// ticket is one request's login.
type ticket struct {
	login  *login
	user   *url.Userinfo
	method method // nil: none
	header string // value of Proxy-Authorization; empty: none
	turn   bool   // it holds the turn
}

// answer makes the login of a request to addr. It waits while another one is
// finding out whether user and password are right.
func (l *login) answer(ctx context.Context, user *url.Userinfo, addr string) (*ticket, *carrier.Failure) {
	t := &ticket{login: l, user: user}
	if l.wantsTurn() {
		select {
		case l.turn <- struct{}{}:
			t.turn = true
		case <-ctx.Done():
			return nil, carrier.Fail("proxy-failed", "no answer in time", context.Cause(ctx))
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.turn && (l.wrong != nil || l.proved) {
		t.giveBack()
	}
	switch {
	case l.wrong != nil:
		return nil, l.wrong
	case l.method != nil:
		password, _ := user.Password()
		t.method, t.header = l.method, l.method.authorize(user.Username(), password, addr)
	}
	return t, nil
}

func (l *login) wantsTurn() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.method != nil && !l.proved && l.wrong == nil
}

// giveBack ends the turn, if t has it: another may try.
func (t *ticket) giveBack() {
	if t.turn {
		t.turn = false
		<-t.login.turn
	}
}

// took hears what the proxy said to the ticket, and whether to ask again with another.
func (t *ticket) took(answer *http.Response) (again bool, _ *carrier.Failure) {
	defer t.giveBack()
	l := t.login
	l.mu.Lock()
	defer l.mu.Unlock()
	if answer.StatusCode != http.StatusProxyAuthRequired {
		if t.header != "" && answer.StatusCode/100 == 2 {
			l.proved = true
		}
		return false, nil
	}
	challenges := parseChallenges(answer.Header.Values("Proxy-Authenticate"))
	chosen, stale := choose(challenges)
	switch {
	case chosen == nil:
		return false, carrier.Fail("proxy-auth-unsupported", "it offers "+schemes(challenges), nil)
	case t.user == nil || !clean(t.user.Username()):
		return false, carrier.Fail("proxy-auth-required", "it offers "+schemes(challenges), nil)
	case t.header != "" && !stale && !t.outlived():
		l.wrong = carrier.Fail("proxy-auth-wrong", "user "+printable(t.user.Username()), nil)
		return false, l.wrong
	}
	if l.method == t.method { // nobody else has asked for a login meanwhile
		l.method, l.proved = chosen, false
	}
	return true, nil
}

// outlived: a nonce that served before was refused, by a proxy that does not
// say that it is stale. The password was right when it was new.
func (t *ticket) outlived() bool {
	_, nonce := t.method.(*digest)
	return nonce && t.login.proved
}

// choose takes the strongest of the ways that we have; nil: none. stale: the
// proxy says that only the nonce was too old.
func choose(challenges []challenge) (best method, stale bool) {
	strength := len(hashes)
	for _, c := range challenges {
		switch c.scheme {
		case "digest":
			d := newDigest(c)
			if s := strengthOf(c); d != nil && s < strength {
				best, strength, stale = d, s, strings.EqualFold(c.params["stale"], "true")
			}
		case "basic":
			if best == nil {
				best = basic{}
			}
		}
	}
	return best, stale
}

// schemes lists what a proxy offers, for people.
func schemes(challenges []challenge) string {
	var names []string
	for _, c := range challenges {
		name := c.scheme
		if algorithm := c.params["algorithm"]; algorithm != "" {
			name += " " + algorithm
		}
		names = append(names, printable(name))
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
