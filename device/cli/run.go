package cli

import (
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/settings"
)

// runFlags are the flags of run that are not shared with other programs.
type runFlags struct {
	data, name string
	iceTCP     string
	sources    []string
	wills      []string
	keepAlive  time.Duration
	lowPower   bool
	spool      spoolFlags
	control    controlSection
	maxViewers int
}

func runCommand() *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:   "run --server URL --data DIR",
		Short: "read sources and publish them until SIGTERM",
		Long: `run reads its sources and publishes them until SIGTERM or SIGINT; then it says
goodbye and ends within 2 s. It reconnects by itself for as long as it runs.

Sources:
  host     this machine's own figures: processor, memory, disks, network, temperatures (host,period=1s)
  stdin    one JSON object or SenML pack per line: {"stream": "door", "value": "open"}
  sim      simulated values, marked as such: sim,rate=100,size=100,streams=1,class=live,wave=sine,deadline=250ms
           (rate: samples a second; size: bytes, 0 for numbers; wave: sine, square or saw)
  machine  a simulated machine with honest physics: a pole on a cart, which falls unless somebody balances it, and a rover`,
		Example: `  telepath-device run --server http://localhost:8080 --token-file tokens/device --data data --name greenhouse
  sensor | telepath-device run --config greenhouse.yaml --source stdin --will 'state="offline"'`,
		Args: settings.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd, &flags) },
	}
	f := cmd.Flags()
	f.String("server", "", "`URL` of the signaling server, http://… or https://…")
	f.String("token-file", "", "`file` with the server's device token (or TELEPATH_TOKEN)")
	f.StringVar(&flags.data, "data", "", "`folder` for this device's key, its spool and its journal of calls; it must survive restarts")
	f.StringVar(&flags.name, "name", "", "the device's `name`, for people (default: this machine's name)")
	f.StringArrayVar(&flags.sources, "source", []string{"host"}, "`SOURCE` to publish: host, stdin, sim or machine; may be repeated")
	f.StringArrayVar(&flags.wills, "will", nil, "`STREAM=JSON` that the server publishes when this device is cut off; may be repeated")
	f.DurationVar(&flags.keepAlive, "keep-alive", 3*time.Second, "say something to the server at least this often; a cut is noticed within 1.5 times as long")
	f.BoolVar(&flags.lowPower, "low-power", false, "rest while nobody watches: say something, with the newest values, once in four fifths of --keep-alive, which is then 1m by default; at most 100 kB an hour over a WebSocket")
	flags.spool.add(cmd)
	flags.control.add(cmd)
	f.IntVar(&flags.maxViewers, "max-viewers", peer.DefaultMaxViewers, "serve at most this many viewers at once; each takes up to a few hundred kB of memory")
	f.StringVar(&flags.iceTCP, "ice-tcp", "", "`[HOST]:PORT` to listen on for direct connections over TCP, the rung tcp: for networks that block UDP but let this port in")
	settings.TLSFlags(cmd)
	settings.ProxyFlag(cmd)
	settings.OnlyFlag(cmd)
	return cmd
}

func run(cmd *cobra.Command, flags *runFlags) error {
	log, err := settings.Log(cmd)
	if err != nil {
		return err
	}
	config, err := flags.config(cmd, log)
	if err != nil {
		return err
	}
	a, err := agent.New(config)
	if err != nil {
		return err
	}
	if err := flags.control.openPins(config.Control); err != nil {
		a.Close()
		return err
	}
	return a.Run(cmd.Context())
}

// config reads the settings into the agent's configuration.
func (flags *runFlags) config(cmd *cobra.Command, log *slog.Logger) (c agent.Config, err error) {
	if c.Server, err = settings.Server(cmd); err != nil {
		return c, err
	}
	if err = flags.check(cmd); err != nil {
		return c, err
	}
	if c.Sources, err = parseSources(flags.sources, cmd.InOrStdin(), log); err != nil {
		return c, err
	}
	if c.Wills, err = parseWills(flags.wills); err != nil {
		return c, err
	}
	if c.Spool, err = flags.spool.config(); err != nil {
		return c, err
	}
	if c.Control, err = flags.control.control(log, flags.data); err != nil {
		return c, err
	}
	if flags.control.answers() && slices.Contains(flags.sources, "stdin") {
		return c, settings.Usagef("control: stdout: answers: --source stdin already reads standard input")
	}
	if c.Control, err = guarded(c.Control); err != nil {
		return c, err
	}
	c.Control = withMachine(c.Control, c.Sources)
	if c.Token, err = settings.Secret(cmd, settings.Prefix, "token"); err != nil {
		return c, err
	}
	if c.TLS, err = settings.TLS(cmd); err != nil {
		return c, err
	}
	if c.Proxy, c.Only, err = way(cmd, c.Server); err != nil {
		return c, err
	}
	c.Dir, c.Name, c.KeepAlive, c.MaxViewers, c.ICETCP, c.Log = flags.data, flags.name, flags.keepAlive, flags.maxViewers, flags.iceTCP, log
	if c.LowPower = flags.lowPower; !cmd.Flags().Changed("keep-alive") {
		c.KeepAlive = 0 // as the agent has it, with low power or without
	}
	c.Program = cmd.Root().Name() + " " + settings.Version()
	return c, nil
}

// way reads which way to the server is to be taken.
func way(cmd *cobra.Command, server string) (proxy string, only []ladder.Rung, err error) {
	if proxy, err = cmd.Flags().GetString("proxy"); err != nil {
		return "", nil, err
	}
	if _, err := (peer.Endpoint{URL: server, Proxy: proxy}).Tunnel(); err != nil {
		return "", nil, settings.Usagef("--proxy: %w", err)
	}
	names, err := cmd.Flags().GetStringSlice("only")
	if err != nil {
		return "", nil, err
	}
	if only, err = peer.ParseOnly(names); err != nil {
		return "", nil, settings.Usagef("--only: %w", err)
	}
	return proxy, only, nil
}

// The keep alives that make sense: below, the link itself is a load; above, nobody would call it alive.
const (
	minKeepAlive = 200 * time.Millisecond
	maxKeepAlive = 10 * time.Minute
)

// mostViewers is what a server lets one device have.
const mostViewers = 4096

func (flags *runFlags) check(cmd *cobra.Command) error {
	if err := settings.Require(cmd, "data"); err != nil {
		return err
	}
	if flags.name != "" {
		if err := wire.CheckName(flags.name, wire.MaxDeviceName); err != nil {
			return settings.Usagef("--name %.64q: %w", flags.name, err)
		}
	}
	if flags.keepAlive < minKeepAlive || flags.keepAlive > maxKeepAlive {
		return settings.Usagef("--keep-alive %v: want %v to %v", flags.keepAlive, minKeepAlive, maxKeepAlive)
	}
	if flags.maxViewers < 1 || flags.maxViewers > mostViewers {
		return settings.Usagef("--max-viewers %d: want 1 to %d", flags.maxViewers, mostViewers)
	}
	return flags.checkICETCP()
}

// checkICETCP refuses what browsers would never dial (protocol, section 7.3).
func (flags *runFlags) checkICETCP() error {
	if flags.iceTCP == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(flags.iceTCP)
	n, errPort := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil, errPort != nil:
		return settings.Usagef("--ice-tcp %.64q: want [HOST]:PORT, such as :4433", flags.iceTCP)
	case n < 1024 && n != 80 && n != 443:
		return settings.Usagef("--ice-tcp %.64q: browsers connect only to ports from 1024 up, and to 80 and 443 of public addresses", flags.iceTCP)
	}
	return nil
}

func parseWills(texts []string) ([]agent.Will, error) {
	var wills []agent.Will
	for _, text := range texts {
		stream, value, found := strings.Cut(text, "=")
		if !found {
			return nil, settings.Usagef("--will %.64q: want STREAM=JSON, such as 'state=\"offline\"'", text)
		}
		w, err := agent.ParseWill(stream, []byte(value))
		if err != nil {
			return nil, settings.Usagef("--will: %w", err)
		}
		if err := wire.CheckName(stream, wire.MaxStreamName); err != nil {
			return nil, settings.Usagef("--will: stream %.64q: %w", stream, err)
		}
		wills = append(wills, w)
	}
	return wills, nil
}
