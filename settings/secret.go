package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
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
	text, err := readSecret(f.Name, f.Value.String())
	if err == nil {
		warnReadable(cmd, f.Value.String())
	}
	return text, err
}

// warnReadable says that others can read a secret. It refuses nothing: container engines make secrets 0444 in a folder that is
// one container's alone, orchestrators 0644, and nobody there can change it. A group's right to read is somebody's decision, or
// shows an access list that names one service, as systemd's credentials have it.
func warnReadable(cmd *cobra.Command, path string) {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o004 == 0 || !info.Mode().IsRegular() || ofContainer(path) {
		return
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s can be read by every user of this machine (mode %04o): chmod o-r it, and change the secret if somebody may have seen it\n",
		cmd.Root().Name(), path, info.Mode().Perm())
}

// ofContainer reports whether a file is where container engines put secrets: their modes say nothing of who is in there.
func ofContainer(path string) bool {
	path = strings.TrimPrefix(filepath.Clean(path), "/var")
	return strings.HasPrefix(path, "/run/secrets/")
}

const secretURL = "telepath_secret_url"

// SecretURL marks a flag whose URLs may name a user, a password or a token. Those are taken from the environment and from the
// file, and not from the command line.
func SecretURL(cmd *cobra.Command, flag string) {
	f := cmd.Flags().Lookup(flag)
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[secretURL] = nil
}

// checkCommandLine comes before anything from elsewhere is set.
func checkCommandLine(cmd *cobra.Command, prefix string) error {
	var failed error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if _, marked := f.Annotations[secretURL]; marked && f.Changed && opensADoor(f.Value.String()) {
			failed = Usagef("--%s with a user or password would be read by every user of this machine: give it as %s, or as %s in the file of --config", f.Name, Variable(prefix, f.Name), f.Name)
		}
	})
	return failed
}

// opensADoor reports whether one of the URLs in text, with or without their scheme, has something in front of an @: a user and a
// password, or a token.
func opensADoor(text string) bool {
	for one := range strings.SplitSeq(text, ",") {
		_, rest, found := strings.Cut(one, "://")
		if !found {
			rest = one
		}
		authority, _, _ := strings.Cut(rest, "/")
		if strings.Contains(authority, "@") {
			return true
		}
	}
	return false
}

func (e entry) opensADoor() bool {
	return (e.key == "proxy" || e.key == "nats") && slices.ContainsFunc(e.values, opensADoor)
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
