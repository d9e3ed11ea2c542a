package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
)

func TestDevicesTellOfClocks(t *testing.T) {
	devices := []signal.Device{
		{Name: "board", State: signal.StateLive, AheadMS: -(56*365*24*time.Hour + 400*time.Hour).Milliseconds()},
		{Name: "fast", State: signal.StateLive, AheadMS: 30_000},
		{Name: "right", State: signal.StateLive},
	}
	for asJSON, want := range map[bool][]string{
		false: {"Live, its clock is 56 years behind the server's", "Live, its clock is 30 s ahead of the server's", "Live   "},
		true:  {`,"ahead_ms":-1767456000000}`, `,"ahead_ms":30000}`, `"since":0}`},
	} {
		var out strings.Builder
		if err := printDevices(&out, devices, asJSON); err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !strings.Contains(out.String(), text) {
				t.Errorf("no %q in\n%s", text, &out)
			}
		}
	}
}
