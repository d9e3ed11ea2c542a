package rest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// values writes what is shown as "stream=value unit kind class".
func (l latest) values() (out []string) {
	for _, s := range l.Streams {
		out = append(out, strings.Join([]string{s.Stream + "=" + text(s.Value), s.Unit, s.Kind, s.Class}, " "))
	}
	return out
}

// TestLatest: whatever a post looks like, what it said is what is shown.
func TestLatest(t *testing.T) {
	w := start(t)
	o := w.must("green", `{"stream":"t","value":20.5,"unit":"°C"}
{"stream":"t","value":21.5}
{"describe":"door","label":"Front door","class":"event","kind":"bool"}
{"stream":"log","value":"it began"}`)
	if o.Taken != 3 || o.Described != 1 || o.Acknowledged["t"].Seq != 2 || o.Acknowledged["t"].Count != 2 || o.Acknowledged["log"].Level != "received" {
		t.Errorf("%+v", o)
	}
	w.must("green", `[{"stream":"door","value":true},{"stream":"a b","value":"x\ny"}]`)
	w.must("green", `[{"bn":"pack/","n":"mass","u":"kg","v":3},{"n":"raw","vd":"aGk"}]`, "Content-Type", "application/senml+json")
	want := []string{
		"a b=x\ny  text event", "door=true  bool event", "log=it began  text event",
		"pack/mass=3 kg number live", "pack/raw=aGk  bytes live", "t=21.5 °C number live",
	}
	l := w.latest("green/latest")
	if diff := cmp.Diff(want, l.values()); diff != "" {
		t.Error(diff)
	}
	if l.Device != "green" || l.ID != o.ID || l.State != "live" || time.Since(time.Unix(int64(l.Since), 0)) > time.Minute {
		t.Errorf("%+v", l)
	}
	for _, s := range l.Streams {
		if age := time.Since(time.UnixMicro(int64(s.T * 1e6))); s.Epoch != o.Acknowledged["t"].Epoch || age < 0 || age > patience || s.HeldMS == nil {
			t.Errorf("%+v", s)
		}
	}
	if got := w.latest(o.ID + "/latest?stream=pack/*&stream=door").values(); len(got) != 3 {
		t.Errorf("chosen: %q", got)
	}
}

func TestLatestAsText(t *testing.T) {
	w := start(t)
	w.must("green", `{"stream":"t","value":21.5,"unit":"°C"}
{"stream":"a b","value":"two words"}
{"stream":"say","value":"\"hi\""}
{"stream":"nothing","value":""}
{"stream":"one","value":"word"}
{"stream":"on","value":false}
{"stream":"rude","value":"\u001b[2J\u202e"}`)
	want := `"a b" "two words"
nothing ""
on false
one word
rude "\u001b[2J\u202e"
say "\"hi\""
t 21.5 °C
`
	for _, a := range []answer{
		w.ask("GET", "viewer", "green/latest?format=text", nil),
		w.ask("GET", "viewer", "green/latest", nil, "Accept", "text/plain"),
		w.ask("GET", "viewer", "green/latest", nil, "Accept", "text/html, text/plain;q=0.5"),
	} {
		if diff := cmp.Diff(want, a.text); diff != "" || a.header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Error(a.header, diff)
		}
	}
	if a := w.ask("GET", "viewer", "green/latest?format=json", nil, "Accept", "text/plain"); !strings.HasPrefix(a.text, `{"device":"green"`) || strings.Contains(a.text, "\u202e") {
		t.Error(a.text)
	}
}

func TestTag(t *testing.T) {
	w := start(t)
	w.must("green", `{"stream":"a","value":1}
{"stream":"b","value":1}`)
	first := w.ask("GET", "viewer", "green/latest", nil)
	tag := first.header.Get("ETag")
	if !strings.HasPrefix(tag, `W/"`) || first.header.Get("Cache-Control") != "no-cache" {
		t.Fatal(first.header)
	}
	time.Sleep(5 * time.Millisecond) // the ages are others now
	for _, known := range []string{tag, strings.TrimPrefix(tag, "W/"), `"x", ` + tag, "*"} {
		a := w.ask("GET", "viewer", "green/latest", nil, "If-None-Match", known)
		if a.status != http.StatusNotModified || a.text != "" || a.header.Get("ETag") != tag {
			t.Errorf("%s: %d %q %v", known, a.status, a.text, a.header)
		}
	}
	head := w.ask("HEAD", "viewer", "green/latest", nil)
	if head.status != http.StatusOK || head.text != "" || head.header.Get("ETag") != tag {
		t.Errorf("HEAD: %d %q %v", head.status, head.text, head.header)
	}
	onlyB := w.ask("GET", "viewer", "green/latest?stream=b", nil).header.Get("ETag")
	w.must("green", `{"stream":"a","value":2}`)
	if a := w.ask("GET", "viewer", "green/latest", nil, "If-None-Match", tag); a.status != http.StatusOK || a.header.Get("ETag") == tag {
		t.Errorf("another value: %d %v", a.status, a.header)
	}
	if a := w.ask("GET", "viewer", "green/latest?stream=b", nil, "If-None-Match", onlyB); a.status != http.StatusNotModified {
		t.Errorf("another value of another stream: %d", a.status)
	}
	if a := w.ask("GET", "viewer", "green/latest?format=text", nil, "If-None-Match", tag+","+onlyB); a.status != http.StatusOK {
		t.Errorf("another format: %d", a.status)
	}
}

func TestLatestRefusals(t *testing.T) {
	w := start(t)
	w.must("green", `{"stream":"a","value":1}`)
	for _, c := range []struct {
		role, path string
		status     int
		code       string
	}{
		{"", "green/latest", 401, "unauthorized"},
		{"device", "green/latest", 403, "forbidden"},
		{"viewer", "greem/latest", 404, "unknown-device"},
		{"viewer", "green/latest?format=xml", 400, "malformed"},
		{"viewer", "green/latest?" + strings.Repeat("stream=a&", 65), 400, "malformed"},
		{"viewer", "green/latest?stream=" + strings.Repeat("a", 129), 400, "malformed"},
		{"operator", "green/latest", 200, ""},
		{"admin", "green/latest", 200, ""},
	} {
		a := w.ask("GET", c.role, c.path, nil)
		if o := parse[outcome](t, a.text); a.status != c.status || o.Code != c.code || c.code != "" && o.Remedy == "" {
			t.Errorf("%s as %q: %d %+v", c.path, c.role, a.status, o)
		}
	}
}
