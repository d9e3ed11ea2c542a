//go:build linux

package gpio

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// newPWM is a folder like the kernel's, with a chip of two channels, of which 0 is there.
func newPWM(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{
		"pwmchip3/npwm": "2\n", "pwmchip3/export": "",
		"pwmchip3/pwm0/period": "0\n", "pwmchip3/pwm0/duty_cycle": "0\n", "pwmchip3/pwm0/enable": "0\n", "pwmchip3/pwm0/polarity": "normal\n",
	}
	for name, text := range files {
		all["pwmchip3/pwm0/"+name] = text
	}
	for name, text := range all {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../../devices/platform/soc/3f20c000.pwm", filepath.Join(dir, "pwmchip3", "device")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func readPWM(t *testing.T, dir string) string {
	t.Helper()
	var texts []string
	for _, name := range []string{"period", "duty_cycle", "enable", "polarity"} {
		text, err := os.ReadFile(filepath.Join(dir, "pwmchip3", "pwm0", name))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, strings.TrimSpace(string(text)))
	}
	return strings.Join(texts, " ")
}

func TestPWM(t *testing.T) {
	for name, before := range map[string]map[string]string{
		"new":                 {},
		"goes already":        {"period": "20000000\n", "duty_cycle": "1500000\n", "enable": "1\n"},
		"had a longer period": {"period": "40000000\n", "duty_cycle": "30000000\n", "enable": "1\n"},
		"was inversed":        {"period": "20000000\n", "polarity": "inversed\n", "enable": "1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newPWM(t, before)
			out, err := takePWM(dir, Output{PWM: "3f20c000.pwm/0", Period: 20 * time.Millisecond}, 1_500_000)
			if err != nil {
				t.Fatal(err)
			}
			defer out.release()
			if got := readPWM(t, dir); got != "20000000 1500000 1 normal" {
				t.Error(got)
			}
			if err := out.set(2_000_000); err != nil {
				t.Error(err)
			}
			if got := readPWM(t, dir); got != "20000000 2000000 1 normal" {
				t.Error(got)
			}
		})
	}
}

func TestPWMActiveLow(t *testing.T) {
	dir := newPWM(t, nil)
	out, err := takePWM(dir, Output{PWM: "pwmchip3/0", Period: time.Millisecond, ActiveLow: true}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer out.release()
	if got := readPWM(t, dir); got != "1000000 1000000 1 normal" {
		t.Error(got)
	}
}

func TestNoPWM(t *testing.T) {
	dir := newPWM(t, nil)
	for name, want := range map[string]string{
		"pwmchip0/0": `there is no PWM chip "pwmchip0": there are pwmchip3 (3f20c000.pwm)`,
		"pwmchip3/2": `"pwmchip3/2": there is no such channel: the chip has 2, from 0 on`,
	} {
		if _, err := takePWM(dir, Output{PWM: name, Period: time.Millisecond}, 0); err == nil || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := takePWM(t.TempDir(), Output{PWM: "pwmchip0/0"}, 0); err == nil || !strings.Contains(err.Error(), "this machine has no PWM") {
		t.Error(err)
	}
}
