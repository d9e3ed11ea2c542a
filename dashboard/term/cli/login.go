package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/settings"
)

func loginURLCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "login-url",
		Short: "print a new link that opens the dashboard in a browser, once",
		Long: `login-url prints a new link that opens the dashboard in a browser. It works once
and for ten minutes. It needs the token of an admin.`,
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
				fmt.Fprintln(cmd.ErrOrStderr(), "for one use until", login.Expires.Local().Format(time.TimeOnly))
			}
			_, err = fmt.Fprintln(settings.Stdout(cmd), login.URL)
			return err
		},
	}
	return serverFlags(cmd)
}
