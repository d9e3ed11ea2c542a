package settings

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// seen is what the test program's command got.
type seen struct {
	Server string
	Source []string
	Host   []string
	Keep   time.Duration
	CA     string
}

func program(got *seen) *cobra.Command {
	root := &cobra.Command{Use: "prog"}
	run := &cobra.Command{Use: "run", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error { return nil }}
	f := run.Flags()
	f.StringVar(&got.Server, "server", "http://default", "")
	f.StringArrayVar(&got.Source, "source", nil, "")
	f.StringSliceVar(&got.Host, "allow-host", nil, "")
	f.DurationVar(&got.Keep, "keep-alive", 3*time.Second, "")
	f.StringVar(&got.CA, "tls-ca", "", "")
	other := &cobra.Command{Use: "other", RunE: func(*cobra.Command, []string) error { return nil }}
	other.Flags().String("admin", "", "")
	root.AddCommand(run, other)
	return root
}

func TestPrecedence(t *testing.T) {
	defaults := seen{Server: "http://default", Keep: 3 * time.Second}
	with := func(change func(*seen)) seen { s := defaults; change(&s); return s }
	for _, c := range []struct {
		name, file string
		env        map[string]string
		args       []string
		want       seen
	}{
		{name: "defaults", want: defaults},
		{name: "file", file: "server: http://file", want: with(func(s *seen) { s.Server = "http://file" })},
		{
			name: "environment over file", file: "server: http://file", env: map[string]string{"SERVER": "http://env"},
			want: with(func(s *seen) { s.Server = "http://env" }),
		},
		{
			name: "flag over all", file: "server: http://file", env: map[string]string{"SERVER": "http://env"},
			args: []string{"--server", "http://flag"}, want: with(func(s *seen) { s.Server = "http://flag" }),
		},
		{
			name: "a flag with its default value is given", file: "server: http://file",
			args: []string{"--server", "http://default"}, want: defaults,
		},
		{name: "nested", file: "tls:\n  ca: f.pem\nkeep:\n  alive: 5s\n", want: with(func(s *seen) { s.CA = "f.pem"; s.Keep = 5 * time.Second })},
		{
			name: "lists", file: "source: [host, 'sim,rate=100']\nallow-host:\n- a\n- b\n",
			want: with(func(s *seen) { s.Source = []string{"host", "sim,rate=100"}; s.Host = []string{"a", "b"} }),
		},
		{
			name: "lists in the environment", env: map[string]string{"SOURCE": "host\nsim,rate=100\n", "ALLOW_HOST": "a, b"},
			want: with(func(s *seen) { s.Source = []string{"host", "sim,rate=100"}; s.Host = []string{"a", "b"} }),
		},
		{
			name: "a list in brackets", env: map[string]string{"SOURCE": `[host, "sim,rate=100"]`},
			want: with(func(s *seen) { s.Source = []string{"host", "sim,rate=100"} }),
		},
		{name: "one item", file: "source: host", want: with(func(s *seen) { s.Source = []string{"host"} })},
		{name: "another command's key", file: "admin: 127.0.0.1:9090", want: defaults},
		{name: "nothing but a comment", file: "# later\n", want: defaults},
		{name: "left out", file: "server:\n", want: defaults},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got seen
			code, message := call(t, program(&got), c.file, c.env, append([]string{"run"}, c.args...))
			if code != 0 || message != "" {
				t.Fatalf("exit %d: %s", code, message)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		name, file string
		env        map[string]string
		args       []string
		code       int
		want       string
	}{
		{"unknown key", "server: x\nkeep-alife: 3s\n", nil, nil, 2, `FILE:2:1: unknown key "keep-alife": did you mean "keep-alive"?`},
		{"unknown nested key", "tls:\n  caa: f\n", nil, nil, 2, `FILE:2:3: unknown key "tls-caa": did you mean "tls-ca"?`},
		{"not a duration", "keep-alive: soon", nil, nil, 2, `FILE:1:1: "soon" is not valid for keep-alive (duration): time: invalid duration "soon"`},
		{"list for one value", "server: [a, b]", nil, nil, 2, `FILE:1:1: server takes one value, not a list of 2`},
		{"twice", "tls-ca: f\ntls:\n  ca: g\n", nil, nil, 2, `FILE:3:3: "tls-ca" is set twice, first on line 1`},
		{"no keys", "- a\n", nil, nil, 2, `FILE:1:1: want keys with values`},
		{"bad YAML", "server: [a\n", nil, nil, 2, `FILE:1:`},
		{"deep value", "source: [[a]]\n", nil, nil, 2, `source: want text, a number, true or false`},
		{"large file", "a: " + strings.Repeat("[", maxFile), nil, nil, 2, `FILE has 65539 bytes: want at most 65536`},
		{"nested", "a: " + strings.Repeat("[", 5000), nil, nil, 2, `FILE:1:`},
		{"bomb", "a: &a [x, x]\nb: [*a, *a]\n", nil, nil, 2, `FILE:1:4: a: want text`},
		{"config in the file", "config: x\n", nil, nil, 2, `unknown key "config"`},
		{"environment", "", map[string]string{"KEEP_ALIVE": "x"}, nil, 2, `environment variable TELEPATH_KEEP_ALIVE: "x" is not valid`},
		{"unknown flag", "", nil, []string{"--sever", "x"}, 2, `prog: unknown flag: --sever; see prog run --help`},
		{"arguments", "", nil, []string{"extra"}, 2, `usage: prog run`},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, message := call(t, program(&seen{}), c.file, c.env, append([]string{"run"}, c.args...))
			if code != c.code || !strings.Contains(message, c.want) {
				t.Errorf("exit %d, want %d: %s\nwant: %s", code, c.code, message, c.want)
			}
		})
	}
}

// call runs root with a configuration file (if not ""), of which FILE stands in the message.
func call(t *testing.T, root *cobra.Command, file string, env map[string]string, args []string) (int, string) {
	t.Helper()
	for name, value := range env {
		t.Setenv("TELEPATH_"+name, value)
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	if file != "" {
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	code := Run(context.Background(), root, args)
	return code, strings.ReplaceAll(out.String(), path, "FILE")
}

func TestProgramManners(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, "Usage:"},
		{[]string{"rn"}, 2, `prog: unknown command "rn": did you mean "run"?; see prog --help`},
		{[]string{"\x1b[31mrun\u202e"}, 2, `prog: unknown command "\x1b[31mrun\u202e"`},
		{[]string{"--\x1b[31m"}, 2, "prog: unknown flag: --\ufffd[31m"},
		{[]string{"--version"}, 0, "prog "},
		{[]string{"--help"}, 0, "Usage:"},
		{[]string{"run", "--config", "/nowhere/x.yaml"}, 2, "/nowhere/x.yaml: no such file"},
	} {
		code, message := call(t, program(&seen{}), "", nil, c.args)
		if code != c.code || !strings.Contains(message, c.want) {
			t.Errorf("%q: exit %d, want %d: %s", c.args, code, c.code, message)
		}
	}
}

func TestConfigFromEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(path, []byte("server: http://file"), 0o600); err != nil {
		t.Fatal(err)
	}
	var got seen
	if code, message := call(t, program(&got), "", map[string]string{"CONFIG": path}, []string{"run"}); code != 0 {
		t.Fatal(message)
	}
	if got.Server != "http://file" {
		t.Errorf("server %q", got.Server)
	}
}
