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
// NAME-file names, else the environment variable PREFIX_NAME, which wins over a
// NAME-file of the configuration file. There is no flag
// for the secret itself, since command lines are public on a machine. None at
// all is no error: some servers ask for none.
func Secret(cmd *cobra.Command, prefix, name string) (string, error) {
	variable := Variable(prefix, name)
	text, f := os.Getenv(variable), cmd.Flags().Lookup(name+"-file")
	if f == nil || f.Value.String() == "" || text != "" && standsInFile(f) {
		return checkSecret(variable, text)
	}
	return readSecret(f.Name, f.Value.String())
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
		return "", fmt.Errorf("%s: %d bytes are too many for a secret: is this the right file?", where, len(text))
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return "", fmt.Errorf("%s: byte %d is not printable ASCII: is this the right file?", where, i)
		}
	}
	return text, nil
}
