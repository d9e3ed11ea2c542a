// Package cli is the command line of telepath-signaling: it turns flags,
// environment and file (package settings) into a server.Config, and says what
// a person has to know of the server that runs then.
package cli

import "github.com/spf13/cobra"

// Root is the program's root command.
func Root() *cobra.Command {
	root := &cobra.Command{
		Use:   "telepath-signaling",
		Short: "introduce devices and viewers, and relay for them",
		Long: "telepath-signaling introduces devices and viewers to each other, relays for\n" +
			"those that cannot meet directly, and serves the dashboard.",
	}
	root.AddCommand(serveCommand(), loginCommand(), healthCommand())
	return root
}
