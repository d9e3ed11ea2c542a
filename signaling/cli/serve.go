package cli

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/mdp/qrterminal/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/telepath-iot/telepath/dashboard"
	"github.com/telepath-iot/telepath/settings"
	"github.com/telepath-iot/telepath/signaling/auth"
	"github.com/telepath-iot/telepath/signaling/cert"
	"github.com/telepath-iot/telepath/signaling/server"
	"github.com/telepath-iot/telepath/signaling/turn"
)

func serveCommand() *cobra.Command {
	var cfg server.Config
	var tlsMode, openRole, turnMode string
	var trust, announce []string
	cmd := &cobra.Command{
		Use:   "serve --data DIR",
		Short: "run the server",
		Args:  settings.NoArgs,
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Listen, "listen", ":8080", "`address` for links and the dashboard")
	f.StringVar(&cfg.UDP, "udp", "", "UDP `address` for data channels and TURN, or none; default: that of --listen")
	f.StringSliceVar(&announce, "announce", nil, "`addresses` at which others reach this server; default: those of its interfaces")
	f.StringVar(&cfg.Data, "data", "", "`folder` for tokens, keys and what is known about devices")
	f.StringVar(&cfg.NATS, "nats", "", "`URL` of an external NATS with JetStream, to run several servers; default: one inside the program; with a password, as TELEPATH_NATS or in the file of --config")
	settings.SecretURL(cmd, "nats")
	f.StringVar(&tlsMode, "tls", "", "`self`: serve TLS with a certificate that the server makes, and print its pin")
	f.StringVar(&cfg.TLSCert, "tls-cert", "", "PEM `file` of the TLS certificate and its chain")
	f.StringVar(&cfg.TLSKey, "tls-key", "", "PEM `file` of the certificate's key")
	f.StringSliceVar(&cfg.ACME, "acme", nil, "`names` to get certificates for from Let's Encrypt, whose terms you thereby accept; needs port 443")
	f.StringVar(&cfg.ACMEDirectory, "acme-directory", "", "`URL` of the ACME directory of another authority")
	f.StringVar(&cfg.Admin, "admin", "", "`address` for /metrics, such as 127.0.0.1:9090; default: none")
	f.StringSliceVar(&cfg.AllowHost, "allow-host", nil, "`names` this server is reached by, besides localhost, the machine's name and its addresses")
	f.StringSliceVar(&trust, "trust-proxy", nil, "`networks` of reverse proxies whose X-Forwarded-For, X-Forwarded-Proto and Forwarded are believed; default: none")
	f.BoolVar(&cfg.ProxyProtocol, "proxy-protocol", false, "connections from --trust-proxy begin with a PROXY header, version 1 or 2")
	f.StringVar(&cfg.PathPrefix, "path-prefix", "", "`path` under which a reverse proxy serves this, such as /telepath")
	f.StringVar(&turnMode, "turn", "on", "`on` or off: a TURN server on the port of --listen, for the two ends of a connection and nobody else")
	f.StringSliceVar(&cfg.TURNServers, "turn-server", nil, "`URLs` of an external TURN server (coturn with use-auth-secret) to use instead, such as turn:turn.example:3478?transport=udp")
	f.String("turn-secret-file", "", "`file` with the external TURN server's secret")
	f.IntVar(&cfg.Limits.Connections, "max-connections", 0, "at most this `number` of open connections; default: 8192")
	f.IntVar(&cfg.Limits.ConnectionsPerAddress, "max-connections-per-address", 0, "at most this `number` of them from one address; default: 256. Raise it where many people share one")
	f.IntVar(&cfg.Limits.RequestsPerSecond, "max-requests-per-address", 0, "at most this `number` of requests a second from one address, with bursts of four times as many; default: 50")
	f.StringVar(&openRole, "open-role", "", "`role` (viewer or operator) of whoever comes without a token; default: none")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := settings.Require(cmd, "data"); err != nil {
			return err
		}
		log, err := settings.Log(cmd)
		if err != nil {
			return err
		}
		cfg.TLSSelf, cfg.OpenRole = tlsMode == "self", auth.Role(openRole)
		if cfg.TrustProxy, err = server.ParseProxies(trust); err != nil {
			return settings.Usagef("--trust-proxy: %w", err)
		}
		if cfg.Announce, err = server.ParseAnnounce(announce); err != nil {
			return settings.Usagef("--announce: %w", err)
		}
		if cfg.ACME, err = cert.ParseNames(cfg.ACME); err != nil {
			return settings.Usagef("--acme: %w", err)
		}
		if cfg.PathPrefix, err = server.CleanPrefix(cfg.PathPrefix); err != nil {
			return settings.Usagef("--path-prefix: %w", err)
		}
		if cfg.TURNSecret, err = settings.Secret(cmd, settings.Prefix, "turn-secret"); err != nil {
			return err
		}
		cfg.NoTURN = turnMode == "off"
		if err := checkTURN(cfg, turnMode); err != nil {
			return err
		}
		if err := check(cfg, tlsMode); err != nil {
			return err
		}
		cfg.Log, cfg.Dashboard = log, dashboard.Files()
		return serve(cmd, cfg, log)
	}
	return cmd
}

// check finds what was called wrongly, before anything is made or opened.
func check(cfg server.Config, tlsMode string) error {
	switch {
	case tlsMode != "" && !cfg.TLSSelf:
		return settings.Usagef("--tls %.40q: the only value is self; for other certificates give --tls-cert and --tls-key", tlsMode)
	case len(cfg.ACME) > 0 && (cfg.TLSSelf || cfg.TLSCert != "" || cfg.TLSKey != ""):
		return settings.Usagef("--acme excludes --tls self and --tls-cert: give one of them")
	case len(cfg.ACME) == 0 && cfg.ACMEDirectory != "":
		return settings.Usagef("--acme-directory only names the authority: give the names to certify with --acme")
	case cfg.TLSSelf && (cfg.TLSCert != "" || cfg.TLSKey != ""):
		return settings.Usagef("--tls self and --tls-cert exclude one another: give one of them")
	case (cfg.TLSCert == "") != (cfg.TLSKey == ""):
		return settings.Usagef("--tls-cert and --tls-key go together: give both")
	case cfg.ProxyProtocol && len(cfg.TrustProxy) == 0:
		return settings.Usagef("--proxy-protocol is for the proxies of --trust-proxy: give their networks")
	case min(cfg.Limits.Connections, cfg.Limits.ConnectionsPerAddress, cfg.Limits.RequestsPerSecond) < 0:
		return settings.Usagef("--max-…: a limit must be a positive number")
	case cfg.OpenRole != "" && cfg.OpenRole != auth.Viewer && cfg.OpenRole != auth.Operator:
		return settings.Usagef("--open-role %.40q: give viewer or operator", cfg.OpenRole)
	}
	return checkAddresses(cfg)
}

func checkAddresses(cfg server.Config) error {
	if err := checkAddress("listen", cfg.Listen); err != nil {
		return err
	}
	if cfg.UDP != "" && cfg.UDP != server.NoUDP {
		if err := checkAddress("udp", cfg.UDP); err != nil {
			return err
		}
	}
	if cfg.Admin == "" {
		return nil
	}
	return checkAddress("admin", cfg.Admin)
}

func checkTURN(cfg server.Config, mode string) error {
	external := len(cfg.TURNServers) > 0
	switch {
	case mode != "on" && mode != "off":
		return settings.Usagef("--turn %.40q: give on or off", mode)
	case external && mode == "off":
		return settings.Usagef("--turn off and --turn-server exclude one another: an external server is there, or none")
	case external && cfg.TURNSecret == "":
		return settings.Usagef("--turn-server needs the secret that the server has as static-auth-secret: give it with --turn-secret-file")
	case !external && cfg.TURNSecret != "":
		return settings.Usagef("--turn-secret-file is the secret of the servers that --turn-server names: give their URLs")
	}
	for _, url := range cfg.TURNServers {
		if err := turn.CheckURL(url); err != nil {
			return settings.Usagef("--turn-server: %w", err)
		}
	}
	return nil
}

func checkAddress(flag, address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return settings.Usagef("--%s %.80q: want HOST:PORT or :PORT, such as :8080 or 127.0.0.1:8080", flag, address)
	}
	return nil
}

func serve(cmd *cobra.Command, cfg server.Config, log *slog.Logger) error {
	s, err := server.New(cfg)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- s.Run(cmd.Context()) }()
	select {
	case err := <-served:
		return err
	case <-s.Ready():
	}
	if cfg.TLSCert != "" {
		go reloadOnHangup(cmd.Context(), s)
	}
	log.Info("serving", "listen", s.Addr().String(), "data", cfg.Data, "nats", cfg.NATS != "", "tls", s.Pin() != "")
	announce(settings.Stdout(cmd), s, cfg)
	showQR(cmd.OutOrStdout(), s.LoginURLs())
	return <-served
}

// announce prints what a person needs. Scripts read the line that begins with "Open ".
func announce(out io.Writer, s *server.Server, cfg server.Config) {
	urls := s.LoginURLs()
	fmt.Fprintf(out, "Open %s\n", urls[0])
	for _, url := range urls[1:] {
		fmt.Fprintf(out, "  or %s\n", url)
	}
	fmt.Fprintf(out, "Its code works once, within %d minutes. Tokens are in %s/tokens.\n", int(auth.CodeLife.Minutes()), cfg.Data)
	switch {
	case len(cfg.ACME) > 0:
		fmt.Fprintf(out, "Under names other than %s, the server shows a certificate that it made. Its pin: %s\n", strings.Join(cfg.ACME, ", "), s.Pin())
	case s.Pin() != "":
		fmt.Fprintf(out, "Pin of the certificate: %s\n", s.Pin())
	}
	fmt.Fprint(out, announced(s.Announced(), s.UDPPort(), surroundings(os.DirFS("/"))))
	if cfg.OpenRole != "" {
		fmt.Fprintf(out, "Open to anybody who reaches it, as %s.\n", cfg.OpenRole)
	}
}

// showQR is for phones on the same network, so it needs an address of the
// network, and a terminal. Its code is one of its own: both can be used.
func showQR(out io.Writer, urls []string) {
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) && len(urls) > 1 {
		qrterminal.GenerateHalfBlock(urls[1], qrterminal.L, out)
	}
}
