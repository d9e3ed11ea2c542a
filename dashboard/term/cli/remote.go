package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/dashboard/term/view"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/settings"
)

// defaultPatience is how long a command waits for a device to answer.
const defaultPatience = 10 * time.Second

// timeoutFlag is that of all commands that wait for a device.
func timeoutFlag(cmd *cobra.Command, patience *time.Duration) {
	cmd.Flags().DurationVar(patience, "timeout", defaultPatience, "how long to wait for the device's answer")
}

// withRemote does something with a device that is commanded, and not watched.
func withRemote(cmd *cobra.Command, device string, do func(ctx context.Context, r *peer.Remote) error) error {
	return whileWatching(cmd, peer.ViewConfig{Device: device, Want: []string{noStream}}, &absence{}, do)
}

// whileWatching does something with a device that is commanded, and watched.
func whileWatching(cmd *cobra.Command, watch peer.ViewConfig, away *absence, do func(ctx context.Context, r *peer.Remote) error) error {
	e, err := linkEndpoint(cmd)
	if err != nil {
		return err
	}
	link := view.Link{Log: e.Log}
	doing, end := context.WithCancelCause(cmd.Context())
	defer end(nil)
	away.out, away.end = cmd.ErrOrStderr(), end
	watch.Events = away.watch(watch.Events)
	watch.Endpoint, watch.Events.Link = e, link.Set
	r, err := peer.NewRemote(peer.RemoteConfig{View: watch, Name: whoAmI()})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(cmd.Context()))
	over := make(chan error, 1)
	go func() { over <- r.Run(ctx) }()
	err = do(doing, r)
	cancel()
	if ended := <-over; ended != nil { // a refusal says more
		return explain(ended)
	}
	if never := link.Never(); err != nil && never != nil {
		return never
	}
	if err != nil && cmd.Context().Err() != nil {
		return err // it is the user who ended it
	}
	return away.coded(err)
}

// ready waits until the device can be commanded.
func ready(ctx context.Context, r *peer.Remote, patience time.Duration) (rpc.Machine, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m, err := r.Ready(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer from the device in %v", patience)
	}
	return m, err
}

// whoAmI is what others are shown of who commands: USER@HOST.
func whoAmI() string {
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	if wire.CheckName(name, rpc.MaxName) != nil {
		return "telepath"
	}
	return name
}

// patient is the check of --timeout.
func patient(d time.Duration) error {
	if d <= 0 {
		return settings.Usagef("--timeout %v: want a time such as 10s", d)
	}
	return nil
}
