package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/telepath-iot/telepath/peer/rpc"
)

// TestCallTellsATerminalNothing: what JSON may hold, and a terminal would take for a command, comes out as its escape.
func TestCallTellsATerminalNothing(t *testing.T) {
	info := rpc.CallInfo{State: rpc.Done, Reason: "\u009b2J", Result: json.RawMessage("{\n\"a\": \"\u009b2J\u202e\u007f<\", \"b\": \"\x9b\"}")}
	for _, asJSON := range []bool{false, true} {
		var out, told strings.Builder
		teller := callTeller{out: &out, told: &told, device: "\u009b2J", json: asJSON}
		teller.each(info)
		if err := teller.end(info); err != nil {
			t.Fatal(err)
		}
		safe(t, out.String())
		safe(t, told.String())
		if want := `{"a":"\u009b2J\u202e\u007f<","b":"\ufffd"}` + "\n"; !asJSON && out.String() != want {
			t.Errorf("the result is printed as %q, want %q", &out, want)
		}
		if !json.Valid([]byte(out.String())) {
			t.Errorf("no JSON: %s", &out)
		}
	}
}

func TestMethodsTellATerminalNothing(t *testing.T) {
	var out strings.Builder
	machine := rpc.Machine{Name: "rig", Methods: []rpc.Method{{Name: "a", Help: "\u009b2J\u202e", Params: json.RawMessage(`{"title":"` + "\u009b2J\u202e" + `"}`)}}}
	if err := printMachineJSON(&out, machine); err != nil {
		t.Fatal(err)
	}
	safe(t, out.String())
	var back rpc.Machine
	if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back.Methods[0].Help != machine.Methods[0].Help {
		t.Errorf("comes back as %+v, %v", back, err)
	}
}

func safe(t *testing.T, text string) {
	t.Helper()
	if strings.ContainsAny(text, "\u009b\u202e\u007f\x1b") || !utf8.ValidString(text) {
		t.Errorf("a terminal gets %q", text)
	}
}
