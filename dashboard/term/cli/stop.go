package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/dashboard/term/view"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/settings"
)

func stopCommand() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "stop DEVICE",
		Short: "stop everything a device moves, at once, until somebody resets it",
		Long: `stop has a device make everything it moves safe, at once, whoever holds the lease. It
repeats the stop on every path there is until the device answers. The stop lasts, even
across restarts of the device, until somebody resets it. It needs an operator's token.

It exits with 0 once the device has said that it has stopped and that everything is
safe, otherwise with 1, or with 7 if the device was offline all the time: stop says so,
and keeps trying until --timeout is over. It goes over a network, which can fail: it is
not a safety-rated stop.`,
		Args: oneDevice,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStop(cmd, args[0], timeout, true, (*peer.Remote).Stop)
		},
	}
	timeoutFlag(cmd, &timeout)
	return linkFlags(cmd)
}

func resetCommand() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "reset DEVICE",
		Short: "end a device's stop, so that it may move again",
		Long: `reset ends a stop: the device may be moved again. First find out why it was stopped.
Nothing starts by itself. It needs an operator's token.

It exits with 0 once the device has said that it may move again, otherwise with 1, or
with 7 if the device is offline.`,
		Args: oneDevice,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStop(cmd, args[0], timeout, false, (*peer.Remote).Reset)
		},
	}
	timeoutFlag(cmd, &timeout)
	return linkFlags(cmd)
}

func runStop(cmd *cobra.Command, device string, timeout time.Duration, stops bool, do func(*peer.Remote, context.Context) (rpc.StopInfo, error)) error {
	if err := patient(timeout); err != nil {
		return err
	}
	away := &absence{}
	if stops {
		away.goes = fmt.Sprintf("Sending stop until it answers, for up to %v", timeout)
	}
	watch := peer.ViewConfig{Device: device, Want: []string{noStream}}
	return whileWatching(cmd, watch, away, func(ctx context.Context, r *peer.Remote) error {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		info, err := do(r, ctx)
		switch {
		case cmd.Context().Err() != nil && stops:
			return errors.New("interrupted without an answer from the device: nobody knows whether it has stopped")
		case errors.Is(err, context.DeadlineExceeded) && stops:
			return fmt.Errorf("no answer from the device in %v: nobody knows whether it has stopped", timeout)
		case errors.Is(err, context.DeadlineExceeded):
			return fmt.Errorf("no answer from the device in %v", timeout)
		case err != nil:
			return err
		case info.Code == rpc.CodeRole, info.Code == rpc.CodeNotOffered:
			return &peer.NotOfferedError{Code: info.Code}
		case stops && info.Stopped && info.Reason != "":
			return fmt.Errorf("%s, but %s", stopWords(info), view.Escape(info.Reason))
		case info.Code != "" || info.Stopped != stops:
			return fmt.Errorf("refused: %s", view.Escape(or(info.Reason, info.Code)))
		}
		_, err = fmt.Fprintln(settings.Stdout(cmd), stopWords(info))
		return err
	})
}

// or is the first text that is not empty.
func or(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

func stopWords(info rpc.StopInfo) string {
	if !info.Stopped {
		return "may move again, answered after " + precise(info.RoundTrip)
	}
	text := "stopped"
	if info.Took > 0 {
		text += ", safe after " + precise(info.Took)
	}
	return text + ", answered after " + precise(info.RoundTrip)
}
