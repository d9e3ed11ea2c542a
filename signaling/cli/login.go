package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/peer/folder"
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
			url, err := newLoginURL(at, data)
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

// newLoginURL tells the admin's token to the server that has this folder, and to nobody else who may listen in its place.
func newLoginURL(at local, data string) (string, error) {
	token, err := os.ReadFile(filepath.Join(data, "tokens", "admin"))
	if err != nil {
		return "", fmt.Errorf("read the admin token: %w (run this as the server's user, with its --data)", err)
	}
	if err := runs(data); err != nil {
		return "", err
	}
	trusting, err := at.trusting(data)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequest(http.MethodPost, at.url("/v1/login-codes"), http.NoBody)
	if err != nil {
		return "", fmt.Errorf("--listen: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	client := localClient(loginTime, trusting)
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

// runs reports an error if no server has the folder: its port may be anybody's, then.
func runs(data string) error {
	switch held, err := folder.Held(data); {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("find out whether the server runs: %w", err)
	case !held:
		return fmt.Errorf("no server runs with --data %s, so the admin's token is told to nobody: start it with `telepath-signaling serve`", data)
	}
	return nil
}
