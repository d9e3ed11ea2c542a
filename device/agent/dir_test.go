package agent

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/peer/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openFolder(t *testing.T, path string) *dir {
	t.Helper()
	d, err := openDir(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	return d
}

func TestKeyIsMadeOnceAndForTheOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "device")
	d := openFolder(t, path)
	first, err := d.key()
	if err != nil {
		t.Fatal(err)
	}
	second, err := d.key()
	if err != nil || !first.Equal(second) {
		t.Fatalf("another key the second time: %v", err)
	}
	for name, want := range map[string]os.FileMode{"key": 0o600, "lock": 0o600, ".": 0o700} {
		info, err := os.Stat(filepath.Join(path, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	entries, _ := os.ReadDir(path)
	if len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestKeyIsWhatOpensslReads(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl here")
	}
	d := openFolder(t, t.TempDir())
	if _, err := d.key(); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(openssl, "pkey", "-in", d.file(keyFile), "-noout", "-text").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "ED25519") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestBadKeysAreNamed(t *testing.T) {
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		want       string
	}{
		{"open", "x", 0o644, "can be read by others (mode 0644): chmod 600"},
		{"empty", "", 0o600, "no private key in PEM form"},
		{"garbage", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0o600, "put the right one back"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := openFolder(t, t.TempDir())
			if err := os.WriteFile(d.file(keyFile), []byte(c.text), c.mode); err != nil {
				t.Fatal(err)
			}
			if _, err := d.key(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestFolderIsHeldByOne(t *testing.T) {
	path := t.TempDir()
	first := openFolder(t, path)
	if _, err := openDir(path); err == nil || !strings.Contains(err.Error(), "is in use by another agent") {
		t.Fatalf("%v", err)
	}
	// A predecessor that is just ending is waited for.
	time.AfterFunc(100*time.Millisecond, first.close)
	openFolder(t, path)
}

func TestCheck(t *testing.T) {
	path := t.TempDir()
	check := func(want string) {
		t.Helper()
		if _, err := Check(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	check("no agent has ever used")
	d := openFolder(t, path)
	check("starting or ending")
	s := newStatus(d, slog.New(slog.DiscardHandler))
	s.write(state{Reason: "connection refused"})
	check("connection refused")
	s.write(state{Linked: true, Since: time.Unix(1e9, 0)})
	if since, err := Check(path); err != nil || since.Unix() != 1e9 {
		t.Errorf("%v, %v", since, err)
	}
	d.close()
	check("no agent is running")
}

func TestFacts(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	board := facts(fstest.MapFS{
		"etc/os-release":         file("ID=raspbian\nPRETTY_NAME=\"Raspbian GNU/Linux 12\"\n"),
		"proc/device-tree/model": file("Raspberry Pi Zero W Rev 1.1\x00"),
		"proc/stat":              file("cpu 1 2\nbtime 1000000000\n"),
	})
	want := map[string]string{"os": "Raspbian GNU/Linux 12", "model": "Raspberry Pi Zero W Rev 1.1", "boot": "2001-09-09T01:46:40Z"}
	for name, text := range want {
		if board[name] != text {
			t.Errorf("%s: %q, want %q", name, board[name], text)
		}
	}
	pc := facts(fstest.MapFS{
		"sys/class/dmi/id/sys_vendor":   file("ACME\u202e\n"),
		"sys/class/dmi/id/product_name": file(strings.Repeat("é", 100)),
	})
	if m := pc["model"]; !strings.HasPrefix(m, "ACME éé") || len(m) > maxFact || strings.ContainsRune(m, '\u202e') {
		t.Errorf("model %q", m)
	}
	if _, found := pc["boot"]; found {
		t.Error("a boot time from nowhere")
	}
}

func TestParseWill(t *testing.T) {
	for text, want := range map[string]telemetry.Value{
		`"offline"`: telemetry.TextValue("offline"),
		`0`:         telemetry.NumberValue(0),
		`false`:     telemetry.BoolValue(false),
		`{"a":1}`:   telemetry.TextValue(`{"a":1}`),
	} {
		w, err := ParseWill("state", []byte(text))
		if diff := cmp.Diff(want.String(), w.Value.String()); err != nil || diff != "" || w.Value.Kind() != want.Kind() {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
	for text, want := range map[string]string{`offline`: `state="offline"`, `null`: "is null", `"` + strings.Repeat("x", 9000) + `"`: "longer than"} {
		if _, err := ParseWill("state", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: %v", text, err)
		}
	}
}

func TestStreamsKeepKindAndClass(t *testing.T) {
	a, err := New(Config{Server: "http://127.0.0.1:1", Dir: t.TempDir(), Name: "d"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := a.Number("a", "m"); err != nil {
		t.Fatal(err)
	}
	if again, err := a.Number("a", "km"); err != nil || again != a.streams["a"] {
		t.Errorf("described anew: %v", err)
	}
	if _, err := a.Events("a"); err == nil || !strings.Contains(err.Error(), `stream "a" is live`) {
		t.Errorf("%v", err)
	}
	if _, err := a.Number(" a", ""); err == nil {
		t.Error("a bad name was taken")
	}
}
