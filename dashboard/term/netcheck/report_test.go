package netcheck

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// told are checks of all kinds, with what a hostile network may put into them.
var told = []Check{
	{Name: "dns", Verdict: OK, Took: 1234 * time.Microsecond, Detail: "192.0.2.1, 2001:db8::1"},
	{Name: "proxy", Verdict: OK, Detail: "none"},
	{Name: "ws", Verdict: Failed, Took: 31 * time.Millisecond, Detail: "the answer is 400 \x1b[2J", Failure: "f", Reason: "it broke", Remedy: "mend it"},
	{Name: "sse", Verdict: Failed, Took: 200 * time.Microsecond, Failure: "f", Reason: "it broke"},
	{Name: "poll", Verdict: Unknown, Reason: "no token", Remedy: "give one"},
	{Name: "ipv6", Verdict: Unknown, Reason: "the server has none", Detail: "this machine has one"},
	{Name: "clock", Verdict: OK, Detail: "near", Clock: &Offset{Ahead: -1500 * time.Microsecond, Err: 250 * time.Microsecond}},
}

func TestText(t *testing.T) {
	var b strings.Builder
	text := Text{Out: &b}
	text.Head()
	for _, c := range told {
		text.Check(c)
	}
	text.Summary(Summary{Expected: "sse", Because: "of \x1b it"})
	text.Summary(Summary{Because: "no token"})
	const want = `CHECK         VERDICT      TIME  DETAIL
dns           ok         1.2 ms  192.0.2.1, 2001:db8::1
proxy         ok              –  none
ws            failed      31 ms  the answer is 400 \x1b[2J
                                 f: it broke; mend it
sse           failed    0.20 ms
                                 f: it broke
poll          unknown         –  no token
                                 give one
ipv6          unknown         –  the server has none; this machine has one
clock         ok              –  near

expected path: sse, because of \x1b it

expected path: unknown, because no token
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestColours(t *testing.T) {
	var b strings.Builder
	Text{Out: &b, Colour: true}.Check(told[2])
	if !strings.Contains(b.String(), "\x1b[31mfailed \x1b[0m  ") {
		t.Errorf("printed %q", b.String())
	}
}

func TestJSON(t *testing.T) {
	var b strings.Builder
	for _, c := range told {
		JSON{&b}.Check(c)
	}
	JSON{&b}.Summary(Summary{Expected: None, Because: "<of> \x1b it"})
	JSON{&b}.Summary(Summary{})
	const want = `{"type":"check","name":"dns","verdict":"ok","ms":1.234,"detail":"192.0.2.1, 2001:db8::1","failure":null,"reason":null,"remedy":null}
{"type":"check","name":"proxy","verdict":"ok","ms":null,"detail":"none","failure":null,"reason":null,"remedy":null}
{"type":"check","name":"ws","verdict":"failed","ms":31,"detail":"the answer is 400 \\x1b[2J","failure":"f","reason":"it broke","remedy":"mend it"}
{"type":"check","name":"sse","verdict":"failed","ms":0.2,"detail":null,"failure":"f","reason":"it broke","remedy":null}
{"type":"check","name":"poll","verdict":"unknown","ms":null,"detail":null,"failure":null,"reason":"no token","remedy":"give one"}
{"type":"check","name":"ipv6","verdict":"unknown","ms":null,"detail":"this machine has one","failure":null,"reason":"the server has none","remedy":null}
{"type":"check","name":"clock","verdict":"ok","ms":null,"detail":"near","failure":null,"reason":null,"remedy":null,"ahead_ms":-1.5,"err_ms":0.25}
{"type":"summary","expected":"none","because":"<of> \\x1b it"}
{"type":"summary","expected":null,"because":""}
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

// TestExplained: a failure that has a refusal as its cause keeps its name.
func TestExplained(t *testing.T) {
	refused := &carrier.Refused{Reason: "no"}
	if f := explain(carrier.Fail("upgrade-refused", "", refused)); f.Name != "upgrade-refused" {
		t.Errorf("it became %q", f.Name)
	}
	if f := explain(&carrier.CloseError{Reason: "full"}); f.Reason != "full" {
		t.Errorf("a closed link became %+v", f)
	}
	if f := explain(errors.New("?")); f.Name == "" {
		t.Error("an error without a name")
	}
}
