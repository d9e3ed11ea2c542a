package cli

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
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
	if l.tlsMode != "" || l.tlsCert != "" || len(l.acme) > 0 {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port) + path
}

// localClient trusts any certificate: it does not leave this machine, whose
// certificates name other names. It uses no proxy.
func localClient(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout:   timeout,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	}
}
