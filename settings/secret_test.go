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

// TestSecretURL: what opens a door stands in no command line, and in no error. From elsewhere it is taken.
func TestSecretURL(t *testing.T) {
	for _, c := range []struct {
		flag, env, file string
		refused         bool
	}{
		{flag: "nats://127.0.0.1:4222"},
		{flag: "nats://a.example:4222,nats://b.example:4222"},
		{flag: "a.example:4222"},
		{flag: "nats://user:hidden@a.example", refused: true},
		{flag: "nats://hidden@a.example", refused: true}, // a token
		{flag: "user:hidden@a.example:4222", refused: true},
		{flag: "nats://a.example,nats://user:hid%den@b.example", refused: true},
		{env: "nats://user:hidden@a.example"},
		{file: "nats://user:hidden@a.example"},
	} {
		config := filepath.Join(t.TempDir(), "config.yaml")
		text := ""
		if c.file != "" {
			text = "nats: " + c.file
		}
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := &cobra.Command{}
		cmd.Flags().String("config", config, "")
		cmd.Flags().String("nats", "", "")
		SecretURL(cmd, "nats")
		if c.env != "" {
			t.Setenv("TELEPATH_NATS", c.env)
		}
		if c.flag != "" {
			if err := cmd.Flags().Set("nats", c.flag); err != nil {
				t.Fatal(err)
			}
		}
		err := Load(cmd, Prefix)
		os.Unsetenv("TELEPATH_NATS")
		if (err != nil) != c.refused || err != nil && (strings.Contains(err.Error(), "hid") || !strings.Contains(err.Error(), "TELEPATH_NATS")) {
			t.Errorf("%+v: %v", c, err)
		}
		if have := cmd.Flags().Lookup("nats").Value.String(); have != c.flag+c.env+c.file {
			t.Errorf("%+v: %q", c, have)
		}
	}
}

// TestReadableSecrets: what every user of the machine can read is said, and taken all the same.
func TestReadableSecrets(t *testing.T) {
	for mode, told := range map[os.FileMode]bool{0o400: false, 0o600: false, 0o640: false, 0o440: false, 0o644: true, 0o444: true, 0o604: true} {
		dir := t.TempDir()
		token, config := filepath.Join(dir, "token"), filepath.Join(dir, "config.yaml")
		for file, text := range map[string]string{token: "abc", config: "proxy: http://user:hidden@proxy.example\nserver: http://a.example"} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(file, mode); err != nil {
				t.Fatal(err)
			}
		}
		var said strings.Builder
		cmd := &cobra.Command{}
		cmd.SetErr(&said)
		cmd.Flags().String("config", config, "")
		cmd.Flags().String("server", "", "")
		cmd.Flags().String("token-file", token, "")
		ProxyFlag(cmd)
		if err := Load(cmd, Prefix); err != nil {
			t.Fatal(err)
		}
		if got, err := Secret(cmd, Prefix, "token"); got != "abc" || err != nil {
			t.Errorf("%04o: %q, %v", mode, got, err)
		}
		for _, file := range []string{token, config} {
			if n := strings.Count(said.String(), file+" can be read by every user of this machine"); (n == 1) != told || n > 1 {
				t.Errorf("%04o: %q", mode, said.String())
			}
		}
		if strings.Contains(said.String(), "hidden") {
			t.Error(said.String())
		}
	}
	dir := t.TempDir() // a file without a secret may be read by all
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte("server: http://a.example"), 0o644); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd := &cobra.Command{}
	cmd.SetErr(&said)
	cmd.Flags().String("config", filepath.Join(dir, "config.yaml"), "")
	cmd.Flags().String("server", "", "")
	if err := Load(cmd, Prefix); err != nil || said.Len() > 0 {
		t.Errorf("%v, %q", err, said.String())
	}
}

func TestSecretsOfContainers(t *testing.T) {
	for path, own := range map[string]bool{
		"/run/secrets/token": true, "/run/secrets/a/b": true, "/var/run/secrets/token": true,
		"/run/secrets": false, "/run/secrets2/token": false, "/run/secrets/../token": false, "token": false,
	} {
		if ofContainer(path) != own {
			t.Errorf("%s: %v", path, !own)
		}
	}
}
