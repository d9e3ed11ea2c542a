package settings

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// maxSecret bounds a secret, in bytes.
const maxSecret = 4096

// Secret returns a secret such as "token": what is in the file that the flag
// NAME-file names, else the environment variable PREFIX_NAME. There is no flag
// for the secret itself, since command lines are public on a machine. None at
// all is no error: some servers ask for none.
func Secret(cmd *cobra.Command, prefix, name string) (string, error) {
	if f := cmd.Flags().Lookup(name + "-file"); f != nil && f.Value.String() != "" {
		return readSecret(f.Name, f.Value.String())
	}
	return checkSecret(Variable(prefix, name), os.Getenv(Variable(prefix, name)))
}

func readSecret(flag, path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("--%s: %w", flag, err)
	}
	text, err := checkSecret("--"+flag+" "+path, string(data))
	if err == nil && text == "" {
		err = fmt.Errorf("--%s %s: the file is empty", flag, path)
	}
	return text, err
}

// checkSecret trims the newline that editors and echo add, and refuses what no HTTP header could carry.
func checkSecret(where, text string) (string, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxSecret {
		return "", fmt.Errorf("%s: %d bytes are too many for a secret: is it the right file?", where, len(text))
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return "", fmt.Errorf("%s: byte %d is no printable ASCII: is it the right file?", where, i)
		}
	}
	return text, nil
}
