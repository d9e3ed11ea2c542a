package cli

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/settings"
)

// healthTime is how long a healthy server may take to say so.
const healthTime = 2 * time.Second

// healthCommand is for container engines: images without a shell have nothing
// else to ask with.
func healthCommand() *cobra.Command {
	var at local
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "ask the server on this machine whether it is healthy: exit 0 or 1",
		Args:  settings.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return health(at.url("/healthz"))
		},
	}
	at.addFlags(cmd)
	return cmd
}

func health(url string) error {
	client := localClient(healthTime, &tls.Config{InsecureSkipVerify: true}) // it is told nothing that is secret
	defer client.CloseIdleConnections()
	answer, err := client.Get(url)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s", answer.Status)
	}
	return nil
}
