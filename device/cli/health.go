package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/settings"
)

// containerData is the agent's folder in its container, so that the image's
// health check needs no argument.
const containerData = "/data"

func healthCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "exit 0 if the folder's agent is running and linked to its server",
		Args:  settings.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			since, err := agent.Check(data)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(settings.Stdout(cmd), "linked since", since.Format(time.RFC3339))
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", containerData, "the agent's `folder`, as given to run")
	return cmd
}
