// Package cli is the command line of telepath: where the server is, and a
// command for each thing to do with it.
package cli

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/dashboard/term/api"
	"github.com/telepath-iot/telepath/dashboard/term/memory"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/network"
	"github.com/telepath-iot/telepath/settings"
)

// Root is the program's root command.
func Root() *cobra.Command {
	root := &cobra.Command{
		Use:   "telepath",
		Short: "watch and command devices from a terminal",
		Long: `telepath watches devices, for people at a terminal and for scripts: which are there,
what they publish, and over which path. With an operator's token it also commands them.

Put the server's URL and the token file in ~/.config/telepath/config.yaml
(keys server, token-file, tls-ca, tls-pin, proxy), or give them as flags or
TELEPATH_… variables.`,
	}
	root.PersistentFlags().String("config", configFile(), "YAML `file` with settings; its keys are the names of the flags")
	root.AddCommand(devicesCommand(), viewCommand(), pingCommand(), netcheckCommand(), loginURLCommand())
	root.AddCommand(methodsCommand(), callCommand(), stopCommand(), resetCommand(), driveCommand())
	return root
}

// configFile is the usual place of the settings; it need not be there.
func configFile() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "telepath", "config.yaml")
}

// serverFlags are the flags of every command that talks to a server.
func serverFlags(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().String("server", "", "`URL` of the signaling server, http://… or https://…")
	cmd.Flags().String("token-file", "", "`file` with a token for the server (or TELEPATH_TOKEN)")
	settings.TLSFlags(cmd)
	settings.ProxyFlag(cmd)
	return cmd
}

// linkFlags are those of every command that has a link to the server.
func linkFlags(cmd *cobra.Command) *cobra.Command {
	settings.OnlyFlag(cmd)
	return serverFlags(cmd)
}

// endpoint reads them.
func endpoint(cmd *cobra.Command) (e peer.Endpoint, err error) {
	if e.URL, err = settings.Server(cmd); err != nil {
		return e, err
	}
	if e.Token, err = settings.Secret(cmd, settings.Prefix, "token"); err != nil {
		return e, err
	}
	if e.TLS, err = settings.TLS(cmd); err != nil {
		return e, err
	}
	if e.Proxy, err = cmd.Flags().GetString("proxy"); err != nil {
		return e, err
	}
	if _, err = e.Tunnel(); err != nil {
		return e, settings.Usagef("--proxy: %w", err)
	}
	e.Log, err = settings.Log(cmd)
	return e, err
}

// linkEndpoint is endpoint for what has a link to the server.
func linkEndpoint(cmd *cobra.Command) (peer.Endpoint, error) {
	e, err := endpoint(cmd)
	if err != nil {
		return e, err
	}
	only, err := cmd.Flags().GetStringSlice("only")
	if err != nil {
		return e, err
	}
	if e.Only, err = peer.ParseOnly(only); err != nil {
		return e, settings.Usagef("--only: %w", err)
	}
	e.Memory, e.Network = memory.Default(), network.Watch
	return e, nil
}

func client(cmd *cobra.Command) (api.Client, error) {
	e, err := endpoint(cmd)
	if err != nil {
		return api.Client{}, err
	}
	way, err := e.Tunnel()
	return api.Client{Server: e.URL, Token: e.Token, TLS: e.TLS, Dial: way.DialContext}, err
}

// oneDevice is the check of commands that take a device's name or id.
func oneDevice(cmd *cobra.Command, args []string) error {
	switch len(args) {
	case 1:
		return named(args[0])
	case 0:
		return settings.Usagef("DEVICE is missing: %s NAME (`telepath devices` lists them)", cmd.CommandPath())
	}
	return settings.Usagef("one DEVICE at a time, not %d: quote a name that contains spaces", len(args))
}

// named is the check of DEVICE itself: an empty one is a variable that was not set.
func named(device string) error {
	if device == "" {
		return settings.Usagef("DEVICE is empty (`telepath devices` lists them)")
	}
	return nil
}
