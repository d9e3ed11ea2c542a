package cli

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// healthTime is how long a healthy server may take to say so.
const healthTime = 2 * time.Second

// healthCommand is for container engines: images without a shell have nothing
// else to ask with.
func healthCommand() *cobra.Command {
	var listen, tlsMode, tlsCert string
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the server on this machine whether it is well: exits 0 or 1",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return health(healthURL(listen, tlsMode != "" || tlsCert != ""))
		},
	}
	cmd.Flags().StringVar(&listen, "listen", ":8080", "`address` that the server listens on")
	cmd.Flags().StringVar(&tlsMode, "tls", "", "`self`, as the server has it")
	cmd.Flags().StringVar(&tlsCert, "tls-cert", "", "`file`, as the server has it")
	return cmd
}

func healthURL(listen string, tls bool) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		host, port = listen, "8080"
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "http://"
	if tls {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port) + "/healthz"
}

// health trusts any certificate: it tells no secret and believes one word.
func health(url string) error {
	client := &http.Client{
		Timeout:   healthTime,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	}
	defer client.CloseIdleConnections()
	answer, err := client.Get(url)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", answer.Status)
	}
	return nil
}
