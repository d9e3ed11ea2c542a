package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/dashboard/term/view"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/settings"
)

type viewFlags struct {
	streams  []string
	from     string
	since    time.Duration
	duration time.Duration
	json     bool
	relay    bool
}

func viewCommand() *cobra.Command {
	var flags viewFlags
	cmd := &cobra.Command{
		Use:   "view DEVICE",
		Short: "show what a device publishes, as it arrives",
		Long: `view shows what a device publishes, as it arrives: a line for each sample with its
time, value, age and path, and separate lines when the path or the presence
changes, when samples are missing, and when the device's clock is wrong. Times are
by this machine's clock, with --json by the device's. DEVICE is a name or an id.

With --json it prints one object per line. Their types and members:
  sample    device, id, stream, epoch, seq, t, value, class, age_ms, age_err_ms, path,
            late, retained, past
  path      path (null: none), reason
  gap       stream, epoch, from, to (inclusive; null: unknown), reason
  presence  device, id, state, since, and if there is something to say, grace_ms, ahead_ms
  clock     ahead_ms (of this machine's: the device's is wrong, or right again), err_ms`,
		Example: `  telepath view greenhouse --stream 'temperature*'
  telepath view greenhouse --json --for 20s | jq 'select(.type == "sample") | .value'
  telepath view greenhouse --since 5m
  telepath view greenhouse --stream log --from 1a2b3c4d:1200`,
		Args: oneDevice,
		RunE: func(cmd *cobra.Command, args []string) error { return runView(cmd, args[0], flags) },
	}
	f := cmd.Flags()
	f.StringArrayVar(&flags.streams, "stream", nil, "only streams that match this `GLOB` (* any characters, ? one); may be repeated")
	f.StringVar(&flags.from, "from", "head", "`POSITION` where streams of class event begin: head (now), start (all that is kept), or EPOCH:SEQ (after that sample of one stream)")
	f.DurationVar(&flags.since, "since", 0, "also what the device kept for this long before now, such as 5m, and later whatever an outage cuts out (default: nothing)")
	f.DurationVar(&flags.duration, "for", 0, "end after this time, such as 20s (default: never)")
	f.BoolVar(&flags.json, "json", false, "print one JSON object per line")
	f.BoolVar(&flags.relay, "relay", false, "stay on the relay: no direct path")
	return linkFlags(cmd)
}

func runView(cmd *cobra.Command, device string, flags viewFlags) error {
	if err := flags.check(); err != nil {
		return err
	}
	e, err := linkEndpoint(cmd)
	if err != nil {
		return err
	}
	var format view.Format = view.Text{}
	if flags.json {
		format = view.JSON{}
	}
	v, err := view.New(view.Config{
		View:   peer.ViewConfig{Endpoint: e, Device: device, Want: flags.streams, From: flags.from, Since: flags.since, NoDirect: flags.relay},
		Format: format, Out: settings.Stdout(cmd), Log: e.Log,
	})
	if err != nil {
		return err
	}
	ctx, cancel := until(cmd.Context(), flags.duration)
	defer cancel()
	return explain(v.Run(ctx))
}

// until is a context that ends after d, or never of itself if d is 0.
func until(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}

func (flags viewFlags) check() error {
	if flags.duration < 0 {
		return settings.Usagef("--for %v: want a time such as 20s", flags.duration)
	}
	if flags.since < 0 {
		return settings.Usagef("--since %v: want a time such as 5m", flags.since)
	}
	if flags.from == "head" || flags.from == "start" {
		return nil
	}
	if _, _, err := signal.ParsePosition(flags.from); err != nil {
		return settings.Usagef("--from: %w, or head, or start", err)
	}
	if len(flags.streams) != 1 || strings.ContainsAny(flags.streams[0], "*?") {
		return settings.Usagef("--from %s is a position in one stream: name it with --stream, without * or ?", flags.from)
	}
	return nil
}
