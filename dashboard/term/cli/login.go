package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/dashboard/term/view"
	"github.com/telepath-iot/telepath/settings"
)

func loginURLCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "login-url",
		Short: "print a new URL that opens the dashboard in a browser, once",
		Long: `login-url prints a new URL that opens the dashboard in a browser. It works once,
within ten minutes. It needs an admin token.`,
		Args: settings.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := client(cmd)
			if err != nil {
				return err
			}
			login, err := c.LoginURL(cmd.Context())
			if err != nil {
				return err
			}
			if !login.Expires.IsZero() {
				fmt.Fprintln(cmd.ErrOrStderr(), "works once, until", login.Expires.Local().Format(time.TimeOnly))
			}
			_, err = fmt.Fprintln(settings.Stdout(cmd), view.Escape(login.URL))
			return err
		},
	}
	return serverFlags(cmd)
}
