package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/telepath-iot/telepath/dashboard/term/drive"
	"github.com/telepath-iot/telepath/dashboard/term/view"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/settings"
)

type driveFlags struct {
	part    float64
	timeout time.Duration
}

func driveCommand() *cobra.Command {
	var flags driveFlags
	cmd := &cobra.Command{
		Use:   "drive DEVICE",
		Short: "move a device with the keys of this terminal",
		Long: `drive moves a device with the keys W, A, S, D or the arrows, for as long as you hold
them: W and S move the axis called speed, drive, throttle or the like, A and D the one
that turns or steers; failing those, the first two axes. It shows where they really
are. Space and Esc stop the device (telepath reset ends that), q quits. It takes the
lease, or waits for it: r asks whoever holds it; g gives it to whoever asks, n says no.
It needs an operator's token, and exits with 7 if the device is offline.

A terminal does not say when a key is let go. It only repeats a key that is held, after
a short pause at first, so a key counts as held for 150 ms after it was last seen.
Without a key there is no hand, and the device makes itself safe, even if this
terminal, this machine or the network hangs.`,
		Args: oneDevice,
		RunE: func(cmd *cobra.Command, args []string) error { return runDrive(cmd, args[0], flags) },
	}
	cmd.Flags().Float64Var(&flags.part, "part", 0.5, "how far the keys go: a fraction of the axes' range, above 0, at most 1")
	timeoutFlag(cmd, &flags.timeout)
	return linkFlags(cmd)
}

func runDrive(cmd *cobra.Command, device string, flags driveFlags) error {
	if !(flags.part > 0 && flags.part <= 1) {
		return settings.Usagef("--part %v: want a number above 0, at most 1", flags.part)
	}
	if err := patient(flags.timeout); err != nil {
		return err
	}
	terminal := int(os.Stdin.Fd())
	if !term.IsTerminal(terminal) || !term.IsTerminal(int(os.Stdout.Fd())) {
		return settings.Usagef("drive needs a terminal: the keys you hold are the hand")
	}
	applied := &drive.Applied{}
	watch := peer.ViewConfig{Device: device, Want: []string{drive.AppliedStreams}, Events: peer.Events{Batch: applied.Received}}
	return whileWatching(cmd, watch, &absence{}, func(ctx context.Context, r *peer.Remote) error {
		machine, err := ready(ctx, r, flags.timeout)
		switch {
		case err != nil:
			return err
		case len(machine.Axes) == 0:
			return fmt.Errorf("%s has no axes to move", view.Escape(device))
		}
		fmt.Println(drive.Help(machine.Axes))
		before, err := term.MakeRaw(terminal)
		if err != nil {
			return fmt.Errorf("terminal: %w", err)
		}
		defer func() { _ = term.Restore(terminal, before) }() // there is nothing to be done about it
		return drive.Run(ctx, drive.Config{Remote: r, In: os.Stdin, Out: os.Stdout, Part: flags.part, Applied: applied})
	})
}
