package fallback

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/e2e/authority"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// siteName is the name that the examples of docs/reverse-proxy.md are for.
const siteName = "telepath.example.org"

// examples are the blocks of a language in docs/reverse-proxy.md.
func examples(t *testing.T, language string) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/reverse-proxy.md")
	must(t, err)
	var blocks []string
	for _, found := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllSubmatch(page, -1) {
		blocks = append(blocks, string(found[1]))
	}
	return blocks
}

// nginxWithName: the server has a name and TLS in front of it, and is told to believe the proxy beside it.
func nginxWithName(t *testing.T, c *cell) way {
	must(t, c.behind.CutUDP())
	own, err := authority.New("Test Authority")
	must(t, err)
	must(t, own.Files(c.Dir, siteName))
	c.startNginx(t, 443, examples(t, "nginx")[0])
	c.serveBehindNginx(t)
	must(t, c.behind.Knows(map[string]netip.Addr{siteName: c.srv.Addr}))
	must(t, c.TrustInChromium(filepath.Join(c.Dir, "ca.pem")))
	return way{url: "https://" + siteName, env: []string{"SSL_CERT_FILE=" + filepath.Join(c.Dir, "ca.pem")}}
}

// nginxWithPath: the server stands beside other things on a site.
func nginxWithPath(t *testing.T, c *cell) way {
	must(t, c.behind.CutUDP())
	blocks := examples(t, "nginx")
	connection, _, _ := strings.Cut(blocks[0], "\nserver {")
	c.startNginx(t, 80, connection+"\nserver {\nlisten 80;\nlocation / { return 404; }\n"+blocks[1]+"}\n")
	c.serveBehindNginx(t)
	return way{url: "http://" + c.srv.Addr.String() + "/telepath"}
}

// serveBehindNginx starts the server as the page says, and lets it tell whom it sees. Those who are not behind nginx go past it.
func (c *cell) serveBehindNginx(t *testing.T) {
	t.Helper()
	c.serve(t, "http", netip.AddrPortFrom(netip.IPv4Unspecified(), serverPort),
		"--allow-host", siteName, "--trust-proxy", "127.0.0.1", "--log-level", "debug")
	c.URL = "http://" + c.serverAt(serverPort).String()
	t.Cleanup(func() {
		if seen := regexp.MustCompile(`"from":"127\.0\.0\.1`).FindString(c.server.Tail(10_000)); seen != "" && !t.Failed() {
			t.Errorf("the server takes the proxy for the client: %s", seen)
		}
	})
}

// startNginx starts it on the server's host, with a site's configuration where Debian looks for it.
func (c *cell) startNginx(t *testing.T, port uint16, site string) {
	t.Helper()
	must(t, c.srv.Etc("nginx/nginx.conf", `daemon off;
worker_processes 1;
user root;
pid `+c.Dir+`/nginx.pid;
error_log stderr warn;
events {}
http {
	types { text/html html; }
	access_log `+c.Dir+`/nginx.log;
	client_body_temp_path `+c.Dir+`/body;
	proxy_temp_path `+c.Dir+`/proxy;
	include /etc/nginx/conf.d/*.conf;
}
`))
	must(t, c.srv.Etc("nginx/conf.d/telepath.conf", site))
	for _, name := range []string{"fullchain.pem", "privkey.pem"} {
		content, err := os.ReadFile(filepath.Join(c.Dir, name))
		if err == nil {
			must(t, c.srv.Etc("nginx/telepath/"+name, string(content)))
		}
	}
	p, err := c.Start(c.srv, program.Spec{Name: "nginx", Args: []string{"/usr/sbin/nginx"}})
	must(t, err)
	endWith(t, "nginx", p)
	must(t, rig.AwaitOpen(c.srv, c.serverAt(port)))
}
