package turn

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestURLs(t *testing.T) {
	all := Ways{UDP: 8080, TCP: 8080, TLS: true, Own: 8080}
	for _, c := range []struct {
		ways Ways
		host string
		want string
	}{
		{all, "telepath.example:8080", "turn:telepath.example:8080?transport=udp turn:telepath.example:8080?transport=tcp turns:telepath.example:8080?transport=tcp"},
		{all, "telepath.example", "turn:telepath.example:443?transport=udp turn:telepath.example:443?transport=tcp turns:telepath.example:443?transport=tcp"},
		{Ways{UDP: 8080, TCP: 8080, Own: 8080}, "telepath.example", "turn:telepath.example:80?transport=udp turn:telepath.example:80?transport=tcp"},
		{all, "192.168.1.2:443", "turn:192.168.1.2:443?transport=udp turn:192.168.1.2:443?transport=tcp turns:192.168.1.2:443?transport=tcp"},
		{all, "[2001:db8::1]:8080", "turn:[2001:db8::1]:8080?transport=udp turn:[2001:db8::1]:8080?transport=tcp turns:[2001:db8::1]:8080?transport=tcp"},
		{Ways{UDP: 8080, Own: 8080}, "[::1]", "turn:[::1]:80?transport=udp"},
		{Ways{UDP: 3478, TCP: 8080, Own: 8080}, "h:443", "turn:h:3478?transport=udp turn:h:443?transport=tcp"},
		{Ways{TCP: 8080, Own: 8080}, "h:443", "turn:h:443?transport=tcp"},
		{Ways{UDP: 8080, TCP: 8080}, "proxy.example", "turn:proxy.example:8080?transport=udp turn:proxy.example:8080?transport=tcp"},
		{Ways{}, "h:443", ""},
		{all, "", ""},
		{all, ":443", ""},
	} {
		if have := strings.Join(c.ways.at(c.host), " "); have != c.want {
			t.Errorf("%+v at %q:\n%s, want\n%s", c.ways, c.host, have, c.want)
		}
		for _, u := range c.ways.at(c.host) {
			if err := CheckURL(u); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestServersOfASession(t *testing.T) {
	s, err := New(Config{Secret: "s", URLs: Ways{UDP: 1, Own: 1}})
	must(t, err)
	list := s.Servers("session", "h:1")
	if len(list) != 1 || !slices.Equal(list[0].URLs, []string{"turn:h:1?transport=udp"}) {
		t.Fatalf("%+v", list)
	}
	session, expires, ok := parseUsername(list[0].Username)
	if !ok || session != "session" || uint64(expires.Unix()) != list[0].Expires || list[0].Credential != s.credentials.password(list[0].Username) {
		t.Errorf("%+v", list[0])
	}
	if left := time.Until(expires); left > CredentialLife || left < CredentialLife-time.Minute {
		t.Errorf("good for %v", left)
	}
	if list := s.Servers("session", ""); list != nil {
		t.Errorf("to who came by an unknown name: %+v", list)
	}
}

// What coturn checks, by its documentation: EXPIRES:NAME, and base64(HMAC-SHA1(secret, that)).
func TestExternal(t *testing.T) {
	urls := []string{"turn:turn.example:3478?transport=udp", "turns:turn.example:5349?transport=tcp"}
	e, err := NewExternal(urls, "north")
	must(t, err)
	list := e.Servers("session", "")
	if len(list) != 1 || !slices.Equal(list[0].URLs, urls) || list[0].Username != fmt.Sprintf("%d:session", list[0].Expires) {
		t.Fatalf("%+v", list)
	}
	mac := hmac.New(sha1.New, []byte("north"))
	fmt.Fprintf(mac, "%d:session", list[0].Expires)
	if want := base64.StdEncoding.EncodeToString(mac.Sum(nil)); list[0].Credential != want {
		t.Errorf("credential %s, want %s", list[0].Credential, want)
	}
	for _, wrong := range []string{"", "turn.example:3478", "stun:turn.example", "https://turn.example", "turn:", "turn:a b:1"} {
		if _, err := NewExternal([]string{wrong}, "north"); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
