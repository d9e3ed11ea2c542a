package settings

import "github.com/spf13/cobra"

// ProxyFlag adds --proxy to a command. Its value may hold a password: the
// environment and the file are better places for that than a command line.
func ProxyFlag(cmd *cobra.Command) {
	cmd.Flags().String("proxy", "", "`URL` of the HTTP proxy to go through, http://[USER:PASSWORD@]HOST:PORT, or none "+
		"(default: as HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say); if it has a password, better use TELEPATH_PROXY or the file")
}

// OnlyFlag adds --only to a command.
func OnlyFlag(cmd *cobra.Command) {
	cmd.Flags().StringSlice("only", nil, "for testing: carry telemetry on these `RUNG`s only: udp, turn-udp, relay-udp, tcp, turn-tcp, turn-tls, relay-tcp, ws, sse, poll "+
		"(default: the best there is; tcp only where it is named here or, for a device, --ice-tcp is given); without ws, sse and poll, the link on them only introduces, and telemetry waits for one of the others")
}
