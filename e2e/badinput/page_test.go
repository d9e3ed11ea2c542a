package badinput

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/e2e/program"
)

// hostileLines describe and fill streams whose every text wants to be more than text.
var hostileLines = []string{
	`{"describe":"<img src=x class=hostile onerror=alert(1)>","kind":"number","unit":"<b class=hostile>u</b>","label":"<svg onload=alert(2) class=hostile>","group":"<i class=hostile>g</i>"}`,
	`{"describe":"javascript:alert(3)","kind":"number","unit":"\"><u class=hostile>"}`,
	`{"stream":"<img src=x class=hostile onerror=alert(1)>","value":1}`,
	`{"stream":"javascript:alert(3)","value":2}`,
	`{"stream":"__proto__","value":3}`,
	`{"stream":"constructor","value":"toString"}`,
	`{"stream":"log","value":"<script class=hostile>alert(4)</script>\u202e\u001b[31m\u009b\u200b\u2028\u0000 <a href=javascript:alert(5)>seen</a>"}`,
}

// TestHostileDevice: what a device calls itself and its streams, and what it says, is text to the page and nothing else.
func TestHostileDevice(t *testing.T) {
	const name = "<img src=x onerror=alert(6)>"
	w := newWorld(t)
	d := w.device(t, name)
	for _, line := range hostileLines {
		must(t, d.Write(line))
	}
	p, err := w.Start(nil, program.Spec{Name: "Chromium", Args: []string{"node", "hostile.mjs", w.server.LoginURL, name}})
	must(t, err)
	endWith(t, "Chromium", p)
	if code, err := p.Wait(3 * patience); code != 0 || err != nil {
		t.Fatalf("exit %d, %v", code, err)
	}
	shown := map[string]string{}
	for line := range strings.Lines(p.Output()) {
		var e struct{ Type, Where, Text string }
		must(t, json.Unmarshal([]byte(line), &e))
		switch e.Type {
		case "error", "found":
			t.Errorf("%s: %s: %s", e.Where, e.Type, e.Text)
		case "text":
			shown[e.Where] = e.Text
		}
	}
	if !strings.Contains(shown["list"], name) {
		t.Error("the list does not show the device's name as it is")
	}
	for _, text := range []string{
		name, "<svg onload=alert(2) class=hostile>", "<b class=hostile>u</b>", "javascript:alert(3)",
		"<script class=hostile>alert(4)</script>[31m", "<a href=javascript:alert(5)>seen</a>", "__proto__",
	} {
		if !strings.Contains(shown["device"], text) {
			t.Errorf("the page does not show %s as text", text)
		}
	}
	if t.Failed() {
		t.Logf("the page shows: %s", shown["device"])
	}
}
