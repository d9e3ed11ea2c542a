// Package cli is the command line of telepath-device. It reads settings and
// assembles an agent of them; how a device works stands in device/agent.
package cli

import "github.com/spf13/cobra"

// Root is the program's root command.
func Root() *cobra.Command {
	root := &cobra.Command{
		Use:   "telepath-device",
		Short: "publish what this machine measures",
		Long: `telepath-device runs on the hardware: it reads sources and publishes them as
streams, through the server at once, and directly as soon as a path is found.`,
	}
	root.AddCommand(runCommand(), healthCommand(), guardCommand(), pinsCommand())
	return root
}
