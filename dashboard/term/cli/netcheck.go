package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/dashboard/term/netcheck"
	"github.com/telepath-iot/telepath/settings"
)

type netcheckFlags struct {
	timeout time.Duration
	json    bool
}

func netcheckCommand() *cobra.Command {
	var flags netcheckFlags
	cmd := &cobra.Command{
		Use:   "netcheck",
		Short: "check the way to the server, and say on which path a link would come up",
		Long: `netcheck tries each step of the way from this machine to the server, and each way
of linking to it on its own: for when a connection does not come up, or uses a
bad path. Without a token it checks what needs none.

A check is ok, failed (with a name, a reason and a remedy) or unknown, because
it could not be tried. The last line says on which path a link would come up,
and what keeps it from a better one. Whether a direct path comes up depends on
the device too: ping shows it.

It exits with 0 if there is a way to the server, even if it is not the best one,
or, without a token, if a telepath server answers; with 1 if no way was found.

With --json it prints one object per line. Their types and members, null where
there is nothing to say:
  check     name, verdict (ok, failed, unknown), ms, detail, failure, reason, remedy;
            for clock also ahead_ms and err_ms: the server's clock and its error bound
  summary   expected (a path, or none; null: unknown), because
The names of the checks: dns, tcp4, tcp6, ipv6, proxy, tls, http1, http2, ws,
sse, poll, latency-ws, latency-sse, latency-poll, udp, mapping, relay-udp,
relay-tcp, turn-udp, turn-tcp, turn-tls, clock.`,
		Args: settings.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runNetcheck(cmd, flags) },
	}
	f := cmd.Flags()
	f.DurationVar(&flags.timeout, "timeout", netcheck.DefaultTimeout, "time for all checks together, at least 1s")
	f.BoolVar(&flags.json, "json", false, "print one JSON object per line")
	return serverFlags(cmd)
}

// minTimeout is too short for most networks already.
const minTimeout = time.Second

// report is how netcheck prints.
type report interface {
	Check(netcheck.Check) error
	Summary(netcheck.Summary) error
}

func runNetcheck(cmd *cobra.Command, flags netcheckFlags) error {
	if flags.timeout < minTimeout {
		return settings.Usagef("--timeout %v: want at least %v", flags.timeout, minTimeout)
	}
	e, err := endpoint(cmd)
	if err != nil {
		return err
	}
	out, err := newReport(cmd, flags.json)
	if err != nil {
		return err
	}
	summary, err := netcheck.Run(cmd.Context(), netcheck.Config{Endpoint: e, Timeout: flags.timeout, Each: out.Check})
	if err != nil {
		return err
	}
	if err := out.Summary(summary); err != nil {
		return err
	}
	if !summary.Reached {
		return settings.Failed()
	}
	return nil
}

func newReport(cmd *cobra.Command, asJSON bool) (report, error) {
	if asJSON {
		return netcheck.JSON{Out: settings.Stdout(cmd)}, nil
	}
	text := netcheck.Text{Out: settings.Stdout(cmd), Colour: settings.Colour(cmd.OutOrStdout())}
	return text, text.Head()
}
