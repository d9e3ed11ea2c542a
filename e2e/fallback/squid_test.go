package fallback

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
)

// Who may use the proxies that ask.
const (
	proxyUser     = "meter"
	proxyPassword = "open sesame"
	proxyPort     = 3128
)

// squid is a real one on a host.
type squid struct {
	*program.Program
	addr netip.AddrPort
	dir  string
}

// policy is what stands in its configuration between the two lines that all of them have.
type policy struct {
	auth string // auth_param lines
	acls string // who may do what
}

// connectTo lets CONNECT through to these ports only, as squid's own example does with 443.
func connectTo(ports string) string {
	return "acl connectable port " + ports + "\nhttp_access deny CONNECT !connectable\n"
}

const askForPassword = "acl known proxy_auth REQUIRED\nhttp_access deny !known\n"

// basic asks for a password in the clear; the hash is that of proxyPassword.
func basic(dir string) policy {
	return policy{
		auth: "auth_param basic program /usr/lib/squid/basic_ncsa_auth " + dir + "/basic\nauth_param basic realm telepath test\nauth_param basic children 1\n",
		acls: connectTo("1-65535") + askForPassword,
	}
}

func digest(dir string) policy {
	return policy{
		auth: "auth_param digest program /usr/lib/squid/digest_file_auth " + dir + "/digest\nauth_param digest realm telepath test\nauth_param digest children 1\n",
		acls: connectTo("1-65535") + askForPassword,
	}
}

// ntlm asks for a way of logging in that no program of ours has.
func ntlm(string) policy {
	return policy{
		auth: "auth_param ntlm program /usr/lib/squid/ntlm_fake_auth\nauth_param ntlm children 1\n",
		acls: connectTo("1-65535") + askForPassword,
	}
}

func open(string) policy { return policy{acls: connectTo("1-65535")} }

func only443(string) policy { return policy{acls: connectTo("443")} }

// startSquid starts squid on a host and waits until it takes connections.
func startSquid(t *testing.T, c *cell, on *lab.Host, with func(dir string) policy) *squid {
	t.Helper()
	s := &squid{addr: netip.AddrPortFrom(on.Addr, proxyPort), dir: openFolder(t)}
	p := with(s.dir)
	hash, err := exec.Command("openssl", "passwd", "-6", proxyPassword).Output()
	must(t, err)
	s.write(t, "basic", proxyUser+":"+string(hash))
	s.write(t, "digest", proxyUser+":"+proxyPassword+"\n")
	s.write(t, "squid.conf", fmt.Sprintf(`http_port %s
visible_hostname proxy.example
pid_filename none
cache_log %[2]s/cache.log
access_log stdio:%[2]s/access.log
cache deny all
dns_nameservers 127.0.0.1
shutdown_lifetime 0 seconds
pinger_enable off
%[3]s%[4]shttp_access allow all
`, s.addr, s.dir, p.auth, p.acls))
	s.Program, err = c.Start(on, program.Spec{Name: "squid", Args: []string{
		"/usr/sbin/squid", "-N", "-n", "s" + strings.ReplaceAll(filepath.Base(s.dir), "-", ""), "-f", filepath.Join(s.dir, "squid.conf"),
	}})
	must(t, err)
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("squid said at last:\n%s%s", s.Tail(10), s.log())
		}
	})
	awaitOpen(t, on, s.addr)
	return s
}

// openFolder is one that squid can write to under the user that it becomes.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "squid-")
	must(t, err)
	must(t, os.Chmod(dir, 0o777))
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (s *squid) write(t *testing.T, name, content string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o644))
}

// log is what squid wrote of requests: time, duration, client, verdict/status, bytes, method, URL, user.
func (s *squid) log() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "access.log")) // none yet: nothing was asked
	return string(text)
}

// url is the proxy's, with a user and a password, or without.
func (s *squid) url(user string) string {
	if user != "" {
		user += "@"
	}
	return "http://" + user + s.addr.String()
}

// credentials are the right ones as they stand in a URL.
var credentials = proxyUser + ":" + strings.ReplaceAll(proxyPassword, " ", "%20")
