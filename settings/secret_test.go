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
