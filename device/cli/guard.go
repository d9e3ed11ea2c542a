package cli

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/device/control/guard"
	"github.com/telepath-iot/telepath/settings"
)

const guardName = "guard"

// guardCommand is the process that makes actuators safe when the agent cannot. It outlives signals that are meant for that:
// it ends when the agent says so, or is gone.
func guardCommand() *cobra.Command {
	return &cobra.Command{
		Use:    guardName,
		Short:  "make actuators safe when the agent cannot (the agent starts it)",
		Hidden: true,
		Args:   settings.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return guard.Watch(cmd.InOrStdin(), os.Stdout, cmd.ErrOrStderr())
		},
	}
}
