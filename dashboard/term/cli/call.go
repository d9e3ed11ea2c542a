package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/dashboard/term/view"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/settings"
)

type callFlags struct {
	deadline time.Duration
	timeout  time.Duration
	json     bool
	yes      bool
}

// The exit codes of call, beside those of all commands.
var endCodes = map[rpc.State]int{rpc.Failed: 3, rpc.Rejected: 4, rpc.Expired: 5, rpc.Unknown: 6}

func callCommand() *cobra.Command {
	var flags callFlags
	cmd := &cobra.Command{
		Use:   "call DEVICE METHOD [JSON]",
		Short: "have a device do something, once, and say how it ended",
		Long: `call has a device run one of its methods, with an object of parameters, and waits
for it to end. It prints the result as JSON, and progress on stderr. A call begins
by its deadline, on the device's clock, or never, and never twice, whatever happens
to the paths. If the method needs the lease, call takes it meanwhile. Ctrl-C cancels
what has not begun. It needs an operator's token.

Exit codes:
  0  done
  3  failed: it ran, and reports that it did not succeed
  4  rejected: it never ran, and the reason says why
  5  expired: it never ran, because it was too late
  6  unknown: it may have run, and nobody can say how it ended
  7  the device is offline: it never ran
  1  the device could not be reached, or takes no commands; 2 wrong usage

With --json it prints one object per line, for each change:
  call      device, id, method, state (sent, received, running, done, failed, rejected,
            expired, unknown), code, reason, progress (0 to 1), result, took_ms, round_trip_ms`,
		Example: `  telepath methods rover
  telepath call rover home
  telepath call rover move '{"metres": 1.5}' --deadline 500ms`,
		Args: callArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return runCall(cmd, args, flags) },
	}
	f := cmd.Flags()
	f.DurationVar(&flags.deadline, "deadline", 2*time.Second, "how long the call may wait to begin, counted from when the device is reached")
	f.BoolVar(&flags.json, "json", false, "print one JSON object per line")
	f.BoolVar(&flags.yes, "yes", false, "call it even if the device calls the method dangerous")
	timeoutFlag(cmd, &flags.timeout)
	return linkFlags(cmd)
}

func callArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) < 2:
		return settings.Usagef("want %s DEVICE METHOD [JSON] (`telepath methods DEVICE` lists them)", cmd.CommandPath())
	case len(args) > 3:
		return settings.Usagef("too many arguments: quote the JSON")
	}
	var params map[string]any
	if len(args) == 3 && json.Unmarshal([]byte(args[2]), &params) != nil {
		return settings.Usagef("%.40q is not a JSON object: want parameters such as '{\"metres\": 1.5}'", args[2])
	}
	return named(args[0])
}

func runCall(cmd *cobra.Command, args []string, flags callFlags) error {
	if flags.deadline <= 0 {
		return settings.Usagef("--deadline %v: want a time such as 500ms", flags.deadline)
	}
	if err := patient(flags.timeout); err != nil {
		return err
	}
	call := peer.Call{Method: args[1], Deadline: flags.deadline}
	if len(args) == 3 {
		call.Params = json.RawMessage(args[2])
	}
	teller := callTeller{out: settings.Stdout(cmd), told: cmd.ErrOrStderr(), device: args[0], json: flags.json}
	call.Each = teller.each
	return withRemote(cmd, args[0], func(ctx context.Context, r *peer.Remote) error {
		machine, err := ready(ctx, r, flags.timeout)
		if err != nil {
			return err
		}
		give, err := prepareCall(ctx, r, machine, call.Method, flags.yes)
		if err != nil {
			return err
		}
		info, err := r.Call(ctx, call)
		give()
		if err != nil {
			return err
		}
		return teller.end(info)
	})
}

// prepareCall sees to what a method asks for. The lease that it may need is given back with what it returns.
func prepareCall(ctx context.Context, r *peer.Remote, machine rpc.Machine, method string, yes bool) (give func(), err error) {
	for _, m := range machine.Methods {
		if m.Name != method {
			continue
		}
		if m.Danger && !yes {
			return nil, settings.Usagef("the device calls %s dangerous: give --yes to do it anyway", view.Escape(method))
		}
		if m.Lease {
			return borrow(ctx, r)
		}
	}
	return func() {}, nil // what there is not, the device refuses
}

// borrow takes the lease, until it is given back.
func borrow(ctx context.Context, r *peer.Remote) (give func(), err error) {
	lease, err := r.Take(ctx)
	if err != nil {
		return nil, err
	}
	if !lease.Mine {
		return nil, fmt.Errorf("the method needs the lease: %s", leaseRefusal(lease))
	}
	return func() {
		soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, _ = r.Release(soon) // it ends by itself where that is lost
	}, nil
}

func leaseRefusal(l rpc.LeaseInfo) string {
	switch {
	case l.Holder != nil:
		return view.Escape(l.Holder.Name) + " holds it"
	case l.Reason != "":
		return view.Escape(l.Reason)
	}
	return "refused: " + view.Escape(l.Code)
}

// callTeller says how a call goes on.
type callTeller struct {
	out, told io.Writer
	device    string
	json      bool
}

func (t callTeller) each(info rpc.CallInfo) {
	switch {
	case t.json:
		_ = t.line(info) // a reader that is gone is met again at the end
	case info.State == rpc.Running && info.Progress > 0:
		fmt.Fprintf(t.told, "running, %.0f %%\n", 100*info.Progress)
	case !info.State.Ended() && info.State != rpc.Waiting:
		fmt.Fprintln(t.told, info.State)
	}
}

// end says how a call ended, as the exit code does.
func (t callTeller) end(info rpc.CallInfo) error {
	if t.json {
		return withCode(info.State)
	}
	fmt.Fprintln(t.told, ending(info))
	if info.Result != nil {
		if _, err := t.out.Write(append(telemetry.AppendRaw(nil, info.Result), '\n')); err != nil {
			return err
		}
	}
	return withCode(info.State)
}

func withCode(end rpc.State) error {
	switch code, known := endCodes[end]; {
	case known:
		return settings.FailedWith(code)
	case end != rpc.Done:
		return settings.Failed()
	}
	return nil
}

// ending is how a call ended, for people.
func ending(info rpc.CallInfo) string {
	text := string(info.State)
	if info.Reason != "" {
		text += ": " + view.Escape(info.Reason)
	} else if info.Code != "" {
		text += ": " + view.Escape(info.Code)
	}
	if info.Took > 0 {
		text += ", it ran " + precise(info.Took)
	}
	if info.RoundTrip > 0 {
		text += ", answered after " + precise(info.RoundTrip)
	}
	return text
}

func (t callTeller) line(info rpc.CallInfo) error {
	if info.State == rpc.Waiting {
		return nil
	}
	line := struct {
		Type      string          `json:"type"`
		Device    string          `json:"device"`
		ID        string          `json:"id"`
		Method    string          `json:"method"`
		State     rpc.State       `json:"state"`
		Code      string          `json:"code,omitempty"`
		Reason    string          `json:"reason,omitempty"`
		Progress  float64         `json:"progress,omitempty"`
		Result    json.RawMessage `json:"result,omitempty"`
		Took      *float64        `json:"took_ms"`
		RoundTrip *float64        `json:"round_trip_ms"`
	}{
		Type: "call", Device: t.device, ID: info.ID, Method: info.Method, State: info.State, Code: info.Code,
		Reason: info.Reason, Progress: info.Progress, Result: info.Result, Took: measured(info.Took), RoundTrip: measured(info.RoundTrip),
	}
	_, err := t.out.Write(append(telemetry.AppendJSON(nil, line), '\n'))
	return err
}

// measured is a time in ms; nil: it was not.
func measured(d time.Duration) *float64 {
	if d <= 0 {
		return nil
	}
	ms := millis(d)
	return &ms
}
