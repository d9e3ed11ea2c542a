package rig

import (
	"fmt"
	"hash/crc32"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
)

// Who may use the proxies that ask.
const (
	ProxyUser     = "meter"
	ProxyPassword = "open sesame"
)

// ProxyPort is where a proxy listens.
const ProxyPort = 3128

// SquidPolicy is whom a proxy lets through, and where to. The zero value asks nobody and connects to any port.
type SquidPolicy struct {
	Auth  string // how it asks for a password, with 407: "basic", "digest" or "ntlm", which no program of ours has
	Ports string // the only ports that CONNECT is let through to; squid's own example has 443
}

// askers are the lines that have squid ask. Its folder is %s.
var askers = map[string]string{
	"": "",
	"basic": "auth_param basic program /usr/lib/squid/basic_ncsa_auth %[1]s/basic\n" +
		"auth_param basic realm telepath test\nauth_param basic children 1\n",
	"digest": "auth_param digest program /usr/lib/squid/digest_file_auth %[1]s/digest\n" +
		"auth_param digest realm telepath test\nauth_param digest children 1\n",
	"ntlm": "auth_param ntlm program /usr/lib/squid/ntlm_fake_auth\nauth_param ntlm children 1\n",
}

// conf is squid's configuration: of a proxy that asks no other server than the one it is to connect to.
func (p SquidPolicy) conf(addr netip.AddrPort, dir string) string {
	ports := p.Ports
	if ports == "" {
		ports = "1-65535"
	}
	asker := strings.ReplaceAll(askers[p.Auth], "%[1]s", dir)
	if p.Auth != "" {
		asker += "acl known proxy_auth REQUIRED\n"
	}
	rules := "acl connectable port " + ports + "\nhttp_access deny CONNECT !connectable\n"
	if p.Auth != "" {
		rules += "http_access deny !known\n"
	}
	return fmt.Sprintf(`http_port %s
visible_hostname proxy.example
pid_filename none
cache_log %[2]s/cache.log
access_log stdio:%[2]s/access.log
cache deny all
dns_nameservers 127.0.0.1
shutdown_lifetime 0 seconds
pinger_enable off
%[3]s%[4]shttp_access allow all
`, addr, dir, asker, rules)
}

// Squid is a real proxy on a host.
type Squid struct {
	*program.Program
	Addr netip.AddrPort
	dir  string
}

// StartSquid starts a proxy on a host, with its files in dir, and waits until it takes connections. One that asks for passwords
// must be able to enter dir as the user that squid becomes.
func (r *Rig) StartSquid(on *lab.Host, addr netip.AddrPort, dir string, policy SquidPolicy) (*Squid, error) {
	s := &Squid{Addr: addr, dir: dir}
	return s, s.start(r, on, policy)
}

func (s *Squid) start(r *Rig, on *lab.Host, policy SquidPolicy) error {
	if err := s.prepare(policy); err != nil {
		return err
	}
	name := fmt.Sprintf("s%x", crc32.ChecksumIEEE([]byte(s.dir))) // of its shared memory: one for each proxy
	var err error
	s.Program, err = r.Start(on, program.Spec{Name: "squid", Args: []string{
		"/usr/sbin/squid", "-N", "-n", name, "-f", filepath.Join(s.dir, "squid.conf"),
	}})
	if err != nil {
		return err
	}
	if err := AwaitOpen(on, s.Addr); err != nil {
		s.Kill()
		return fmt.Errorf("%w; squid said:\n%s", err, s.Tail(10))
	}
	return nil
}

// prepare writes its files.
func (s *Squid) prepare(policy SquidPolicy) error {
	if err := os.Chmod(s.dir, 0o777); err != nil { // squid becomes another user
		return err
	}
	hash, err := exec.Command("openssl", "passwd", "-6", ProxyPassword).Output()
	if err != nil {
		return fmt.Errorf("hash a password: %w", err)
	}
	for name, content := range map[string]string{
		"basic":      ProxyUser + ":" + string(hash),
		"digest":     ProxyUser + ":" + ProxyPassword + "\n",
		"squid.conf": policy.conf(s.Addr, s.dir),
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Log is what squid wrote of requests: time, duration, client, verdict/status, bytes, method, URL, user.
func (s *Squid) Log() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "access.log")) // none yet: nothing was asked
	return string(text)
}

// URL is the proxy's, with a user and a password, or without.
func (s *Squid) URL(user string) string {
	if user != "" {
		user += "@"
	}
	return "http://" + user + s.Addr.String()
}

// ProxyCredentials are the right ones as they stand in a URL.
var ProxyCredentials = ProxyUser + ":" + strings.ReplaceAll(ProxyPassword, " ", "%20")

// ProxyEnv tells programs their proxy.
func ProxyEnv(url string) []string {
	return []string{"HTTP_PROXY=" + url, "HTTPS_PROXY=" + url, "http_proxy=" + url, "https_proxy=" + url}
}

// AwaitOpen waits until somebody takes connections at an address of the host.
func AwaitOpen(on *lab.Host, addr netip.AddrPort) error {
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		err := on.Enter(func() error { return knock(addr) })
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("nobody takes connections at %v: %w", addr, err)
		}
	}
}

func knock(addr netip.AddrPort) error {
	conn, err := net.DialTimeout("tcp", addr.String(), time.Second)
	if err == nil {
		conn.Close()
	}
	return err
}
