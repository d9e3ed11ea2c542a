package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestSecret(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct{ name, file, env, want, wrong string }{
		{name: "none"},
		{name: "file", file: write("good", "abc\n"), want: "abc"},
		{name: "environment", env: "abc", want: "abc"},
		{name: "file first", file: write("first", "abc"), env: "def", want: "abc"},
		{name: "empty", file: write("empty", "\n"), wrong: "is empty"},
		{name: "binary", file: write("binary", "a\x00b"), wrong: "right file?"},
		{name: "long", file: write("long", strings.Repeat("x", 5000)), wrong: "right file?"},
		{name: "missing", file: filepath.Join(dir, "gone"), wrong: "no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("TELEPATH_TOKEN", c.env)
			cmd := &cobra.Command{}
			cmd.Flags().String("token-file", c.file, "")
			got, err := Secret(cmd, Prefix, "token")
			if got != c.want || (err == nil) != (c.wrong == "") {
				t.Errorf("%q, %v", got, err)
			}
			if err != nil && !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%v, want %q", err, c.wrong)
			}
		})
	}
}

// TestSecretOfTheEnvironment: as with every setting, the flag wins over the environment, and that over the file.
func TestSecretOfTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a": "of-the-flag", "b": "of-the-file", "config.yaml": "token-file: " + filepath.Join(dir, "b")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ flag, env, want string }{
		{"", "", "of-the-file"},
		{"", "of-the-environment", "of-the-environment"},
		{filepath.Join(dir, "a"), "of-the-environment", "of-the-flag"},
	} {
		t.Setenv("TELEPATH_TOKEN", c.env)
		cmd := &cobra.Command{}
		cmd.Flags().String("config", filepath.Join(dir, "config.yaml"), "")
		cmd.Flags().String("token-file", "", "")
		if c.flag != "" {
			if err := cmd.Flags().Set("token-file", c.flag); err != nil {
				t.Fatal(err)
			}
		}
		if err := Load(cmd, Prefix); err != nil {
			t.Fatal(err)
		}
		if got, err := Secret(cmd, Prefix, "token"); got != c.want || err != nil {
			t.Errorf("flag %q, environment %q: %q, %v", c.flag, c.env, got, err)
		}
	}
}
