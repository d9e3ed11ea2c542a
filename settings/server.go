package settings

import (
	"net/url"

	"github.com/spf13/cobra"
)

// Server returns the value of --server, checked, or a usage error.
func Server(cmd *cobra.Command) (string, error) {
	if err := Require(cmd, "server"); err != nil {
		return "", err
	}
	text, err := cmd.Flags().GetString("server")
	if err != nil {
		return "", err
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", Usagef("--server %.200q: want http://HOST:PORT or https://HOST[:PORT]", text)
	}
	return text, nil
}
