package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/dashboard/term/ping"
	"github.com/telepath-iot/telepath/dashboard/term/view"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/settings"
)

type pingFlags struct {
	count       int
	interval    time.Duration
	untilDirect bool
	json        bool
}

func pingCommand() *cobra.Command {
	var flags pingFlags
	cmd := &cobra.Command{
		Use:   "ping DEVICE",
		Short: "measure the round trip to a device, and show the path it takes",
		Long: `ping sends probes to a device, on the best path there is at that moment. It shows
the path and round trip of each reply, and a summary at the end. It exits with 1
if there was no reply at all, and at once with 7 if the device is offline. DEVICE
is a name or an id.

With --until-direct it ends at the first reply on a direct path (udp or tcp) and
exits with 0, or with 1 if there was none in as many pings as -c says, by default
10.

With --json it prints one object per line. Their types and members:
  ping      device, seq, path and rtt_ms (null without a reply), reason (why there is none)
  summary   device, sent, received, loss_percent, min_ms, avg_ms, p50_ms, p95_ms, p99_ms, max_ms`,
		Args: oneDevice,
		RunE: func(cmd *cobra.Command, args []string) error { return runPing(cmd, args[0], flags) },
	}
	f := cmd.Flags()
	f.IntVarP(&flags.count, "count", "c", 0, "how many pings (default: until Ctrl-C)")
	f.DurationVarP(&flags.interval, "interval", "i", time.Second, "time between pings")
	f.BoolVar(&flags.untilDirect, "until-direct", false, "end at the first reply on a direct path")
	f.BoolVar(&flags.json, "json", false, "print one JSON object per line")
	return linkFlags(cmd)
}

// untilDirectCount is how many pings wait for a direct path: a slow one takes some seconds.
const untilDirectCount = 10

// minInterval keeps a typing error from becoming a flood.
const minInterval = 10 * time.Millisecond

func runPing(cmd *cobra.Command, device string, flags pingFlags) error {
	if flags.count < 0 || flags.interval < minInterval {
		return settings.Usagef("-c %d -i %v: want a count of 0 or more and an interval of at least %v", flags.count, flags.interval, minInterval)
	}
	if flags.untilDirect && flags.count == 0 {
		flags.count = untilDirectCount
	}
	e, err := linkEndpoint(cmd)
	if err != nil {
		return err
	}
	link := view.Link{Log: e.Log}
	ctx, end := context.WithCancelCause(cmd.Context())
	defer end(nil)
	away := &absence{out: cmd.ErrOrStderr(), end: end}
	conn, err := peer.Dial(peer.ViewConfig{
		Endpoint: e, Device: device, Want: []string{noStream}, Events: away.watch(peer.Events{Link: link.Set}),
	})
	if err != nil {
		return err
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		end(conn.Run(ctx)) // a refusal ends the pings
	}()
	printer := pingPrinter{out: settings.Stdout(cmd), device: device, json: flags.json}
	config := ping.Config{Count: flags.count, Interval: flags.interval, Each: printer.each}
	if flags.untilDirect {
		config.Until = func(r peer.Reply) bool { return r.Rung == ladder.UDP || r.Rung == ladder.TCP }
	}
	summary, err := ping.Run(ctx, conn, config)
	refused := ctx.Err() != nil && cmd.Context().Err() == nil
	end(nil)
	<-over
	if refused {
		return away.coded(explain(context.Cause(ctx)))
	}
	if err != nil {
		return err
	}
	if err := printer.end(summary); err != nil {
		return away.coded(err)
	}
	if flags.untilDirect && !summary.Until {
		return settings.Failed()
	}
	return nil
}

// noStream is a glob that fits no stream: a name cannot begin with a space.
const noStream = " "

type pingPrinter struct {
	out    io.Writer
	device string
	json   bool
}

func (p pingPrinter) each(r ping.Result) error {
	if p.json {
		return p.eachJSON(r)
	}
	if r.Err != nil {
		_, err := fmt.Fprintf(p.out, "%d: %s\n", r.Seq, view.Escape(r.Err.Error()))
		return err
	}
	_, err := fmt.Fprintf(p.out, "%d: reply from %s: path %s, round trip %s\n", r.Seq, view.Escape(p.device), r.Reply.Rung, precise(r.Reply.RoundTrip))
	return err
}

func (p pingPrinter) eachJSON(r ping.Result) error {
	line := struct {
		Type   string   `json:"type"`
		Device string   `json:"device"`
		Seq    int      `json:"seq"`
		Path   *string  `json:"path"`
		RTT    *float64 `json:"rtt_ms"`
		Reason string   `json:"reason,omitempty"`
	}{Type: "ping", Device: p.device, Seq: r.Seq}
	if r.Err != nil {
		line.Reason = view.Escape(r.Err.Error())
	} else {
		path, rtt := r.Reply.Rung.String(), millis(r.Reply.RoundTrip)
		line.Path, line.RTT = &path, &rtt
	}
	return json.NewEncoder(p.out).Encode(line)
}

// end prints the summary; no reply at all is a failure.
func (p pingPrinter) end(s ping.Summary) error {
	var err error
	if p.json {
		err = p.endJSON(s)
	} else {
		err = p.endText(s)
	}
	if err == nil && s.Received == 0 {
		return settings.Failed()
	}
	return err
}

func (p pingPrinter) endText(s ping.Summary) error {
	_, err := fmt.Fprintf(p.out, "\n%s: %d sent, %d replies, %.1f %% lost\n", view.Escape(p.device), s.Sent, s.Received, s.Loss())
	if err == nil && s.Received > 0 {
		_, err = fmt.Fprintf(p.out, "round trip min %s, avg %s, p50 %s, p95 %s, p99 %s, max %s\n",
			precise(s.Min), precise(s.Avg), precise(s.P50), precise(s.P95), precise(s.P99), precise(s.Max))
	}
	return err
}

func (p pingPrinter) endJSON(s ping.Summary) error {
	line := map[string]any{
		"type": "summary", "device": p.device, "sent": s.Sent, "received": s.Received, "loss_percent": s.Loss(),
	}
	for name, d := range map[string]time.Duration{
		"min_ms": s.Min, "avg_ms": s.Avg, "p50_ms": s.P50, "p95_ms": s.P95, "p99_ms": s.P99, "max_ms": s.Max,
	} {
		line[name] = nil
		if s.Received > 0 {
			line[name] = millis(d)
		}
	}
	return json.NewEncoder(p.out).Encode(line)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// precise writes a time in ms, with three digits at least.
func precise(d time.Duration) string {
	if d >= time.Second {
		return fmt.Sprintf("%.0f ms", d.Seconds()*1000)
	}
	return fmt.Sprintf("%.3g ms", d.Seconds()*1000)
}
