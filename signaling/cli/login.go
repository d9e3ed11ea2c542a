package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/settings"
)

// loginTime is how long the server may take to make a code.
const loginTime = 5 * time.Second

// loginCommand is for who sits at the server; `telepath login-url` does the
// same from elsewhere.
func loginCommand() *cobra.Command {
	var at local
	var data string
	cmd := &cobra.Command{
		Use:   "login-url --data DIR",
		Short: "print a new login URL for the server on this machine",
		Args:  settings.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := settings.Require(cmd, "data"); err != nil {
				return err
			}
			url, err := newLoginURL(at.url("/v1/login-codes"), data)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(settings.Stdout(cmd), "Open %s\n", url)
			return err
		},
	}
	at.addFlags(cmd)
	cmd.Flags().StringVar(&data, "data", "", "the server's `folder`, as given to serve; its tokens/admin is used")
	return cmd
}

func newLoginURL(endpoint, data string) (string, error) {
	token, err := os.ReadFile(filepath.Join(data, "tokens", "admin"))
	if err != nil {
		return "", fmt.Errorf("read the admin token: %w (run this as the server's user, with its --data)", err)
	}
	req, err := http.NewRequest(http.MethodPost, endpoint, http.NoBody)
	if err != nil {
		return "", fmt.Errorf("--listen: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	client := localClient(loginTime)
	defer client.CloseIdleConnections()
	answer, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("the server does not answer: %w", err)
	}
	defer answer.Body.Close()
	var got struct{ URL, Reason, Remedy string }
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || got.URL == "" {
		return "", fmt.Errorf("the server answered %s: %s (%s)", answer.Status, got.Reason, got.Remedy)
	}
	return got.URL, nil
}
