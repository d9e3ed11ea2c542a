package settings

import (
	"net/url"
	"strconv"

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
	switch {
	case err == nil && u.User != nil: // which is not repeated
		return "", Usagef("--server: the URL must not contain a user and password: give a token with --token-file")
	case err != nil || !isServer(u):
		return "", Usagef("--server %.200q: want http://HOST:PORT or https://HOST[:PORT]", text)
	}
	return text, nil
}

func isServer(u *url.URL) bool {
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	}
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.RawQuery == "" && u.Fragment == ""
}
