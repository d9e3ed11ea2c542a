package cli

import (
	"crypto/tls"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/signaling/cert"
)

// local is where the server on this machine listens, told with the flags that
// it was started with, so that one environment or file serves both.
type local struct {
	listen, tlsMode, tlsCert string
	acme                     []string
}

func (l *local) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.listen, "listen", ":8080", "`address` the server listens on")
	cmd.Flags().StringVar(&l.tlsMode, "tls", "", "`self`, as given to serve")
	cmd.Flags().StringVar(&l.tlsCert, "tls-cert", "", "`file`, as given to serve")
	cmd.Flags().StringSliceVar(&l.acme, "acme", nil, "`names`, as given to serve")
}

func (l *local) url(path string) string {
	host, port, err := net.SplitHostPort(l.listen)
	if err != nil {
		host, port = l.listen, "8080"
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http://"
	if l.overTLS() {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port) + path
}

func (l *local) overTLS() bool { return l.tlsMode != "" || l.tlsCert != "" || len(l.acme) > 0 }

// trusting is what a client asks of the TLS of the server with this folder. Under a name that no authority has certified, such
// as the one that it is asked under here, a server with --acme shows the certificate of its own.
func (l *local) trusting(data string) (*tls.Config, error) {
	switch {
	case !l.overTLS():
		return nil, nil
	case l.tlsCert != "":
		return cert.OnlyTo(l.tlsCert)
	}
	cfg, err := cert.OnlyTo(filepath.Join(data, "tls.crt"))
	if err == nil {
		cfg.ServerName = "localhost"
	}
	return cfg, err
}

// localClient does not leave this machine, whose certificates name other names. It uses no proxy.
func localClient(timeout time.Duration, trusting *tls.Config) *http.Client {
	return &http.Client{Timeout: timeout, Transport: &http.Transport{TLSClientConfig: trusting}}
}
