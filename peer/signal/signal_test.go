package signal

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/peer/wire"
)

func TestMessagesAreWhatTheProtocolShows(t *testing.T) {
	for _, c := range []struct {
		message Message
		json    string
	}{
		{Message{Type: Watch}, `{"type":"watch"}`},
		{Message{Type: Challenge, Nonce: Bytes{0xfb, 0xff}, Server: "s"}, `{"type":"challenge","nonce":"-_8","server":"s"}`},
		{
			Message{Type: Open, Device: json.RawMessage(`"pi"`), ID: "u", Want: []string{"*"}, Positions: map[uint32]string{3: "0a1b2c3d:7"}, Offer: &SDP{1, "v=0"}},
			`{"type":"open","device":"pi","id":"u","want":["*"],"positions":{"3":"0a1b2c3d:7"},"offer":{"attempt":1,"sdp":"v=0"}}`,
		},
		{
			Message{Type: Describe, Epoch: "0a1b2c3d", Streams: []Stream{{ID: 1, Name: "cpu", Class: "live", DeadlineMS: 1000, Meta: json.RawMessage(`{"unit":"%"}`)}, {ID: 2, Name: "log", Class: "event", Start: "0a1b2c3d:9"}}},
			`{"type":"describe","epoch":"0a1b2c3d","streams":[{"id":1,"name":"cpu","class":"live","deadline_ms":1000,"meta":{"unit":"%"}},{"id":2,"name":"log","class":"event","start":"0a1b2c3d:9"}]}`,
		},
		{Message{Type: Describe, Epoch: "0a1b2c3d"}, `{"type":"describe","epoch":"0a1b2c3d","streams":[]}`},
		{Message{Type: Route, On: true, Routed: []uint32{1, 7}}, `{"type":"route","on":true,"streams":[1,7]}`},
		{Message{Type: Route}, `{"type":"route","streams":[]}`},
		{
			Message{Type: Opened, Servers: []Server{{URLs: []string{"turn:h:1?transport=udp"}, Username: "2:u", Credential: "c", Expires: 2}}},
			`{"type":"opened","servers":[{"urls":["turn:h:1?transport=udp"],"username":"2:u","credential":"c","expires":2}]}`,
		},
		{Message{Type: Hello, Wills: []Will{{Bytes{1, 2, 3}}}}, `{"type":"hello","wills":[{"frame":"AQID"}]}`},
		{Message{Type: Bye, Final: map[uint32]string{1: "0a1b2c3d:5"}}, `{"type":"bye","final":{"1":"0a1b2c3d:5"}}`},
	} {
		have, err := c.message.Append([]byte("x"))
		if err != nil || string(have) != "x"+c.json {
			t.Errorf("have %s, %v\nwant x%s", have, err, c.json)
		}
		back, err := Parse([]byte(c.json))
		if err != nil {
			t.Errorf("%s: %v", c.json, err)
		}
		if again, _ := back.Append(nil); string(again) != c.json {
			t.Errorf("%s\ncomes back as %s", c.json, again)
		}
	}
}

func TestStreamsMeanWhatTheTypeSays(t *testing.T) {
	d, err := Parse([]byte(`{"type":"describe","streams":[{"id":1,"name":"a","class":"event","later":[1]}],"later":{}}`))
	if err != nil || len(d.Streams) != 1 || d.Streams[0].Name != "a" || d.Routed != nil {
		t.Errorf("%+v, %v", d, err)
	}
	r, err := Parse([]byte(`{"type":"route","on":true,"streams":[4,5]}`))
	if err != nil || !reflect.DeepEqual(r.Routed, []uint32{4, 5}) || r.Streams != nil {
		t.Errorf("%+v, %v", r, err)
	}
	for _, wrong := range []string{
		`{"type":"describe","streams":[4,5]}`,
		`{"type":"route","streams":[{"id":1}]}`,
		`{"type":"route","streams":[-1]}`,
		`{"type":"route","streams":[4294967296]}`,
	} {
		if m, err := Parse([]byte(wrong)); err == nil {
			t.Errorf("%s is taken as %+v", wrong, m)
		}
	}
	// A type that has no streams does not care.
	if _, err := Parse([]byte(`{"type":"watch","streams":"?"}`)); err != nil {
		t.Error(err)
	}
}

func TestUnknownIsIgnored(t *testing.T) {
	m, err := Parse([]byte(` {"type":"telepathy","n":1,"later":{"deep":[[]]}} `))
	if err != nil || m.Type != "telepathy" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestRefused(t *testing.T) {
	nest := func(n int) string {
		return `{"type":"watch","later":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`
	}
	big := func(n int) string {
		frame := `{"type":"watch","later":""}`
		return frame[:len(frame)-2] + strings.Repeat("x", n-len(frame)) + frame[len(frame)-2:]
	}
	for body, want := range map[string]string{
		"":                              "not a JSON object",
		"null":                          "without a type",
		"[]":                            "not a JSON object",
		`"hello"`:                       "not a JSON object",
		`{"type":1}`:                    "not a JSON object",
		`{}`:                            "without a type",
		`{"type":"watch"} {}`:           "not a JSON object",
		`{"type":"watch"`:               "not a JSON object",
		`{"type":"hello","key":"a+b"}`:  "illegal base64",
		`{"type":"hello","key":"YQ=="}`: "illegal base64",
		`{"type":"hello","key":[1]}`:    "hello",
		`{"type":"open","want":"*"}`:    "open",
		`{"type":"open","positions":{"x":"0a1b2c3d:1"}}`: "open",
		nest(wire.MaxDepth):       "deeper than 16",
		nest(29000):               "deeper than 16",
		big(wire.MaxSignal + 1):   "60001 bytes, more than 60000",
		strings.Repeat("[", 60e3): "deeper than 16",
	} {
		if _, err := Parse([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: error %v, want one with %q", body, err, want)
		}
	}
	for _, body := range []string{nest(wire.MaxDepth - 1), big(wire.MaxSignal)} {
		if _, err := Parse([]byte(body)); err != nil {
			t.Errorf("%.60s: %v", body, err)
		}
	}
}

// TestTypeIsReadExactly: the vectors say what a reader of exact names, such as a browser, takes a body for. Who checks a signal
// before such a reader gets it takes it for the same, or for none.
func TestTypeIsReadExactly(t *testing.T) {
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name, Body, Type string
		Ambiguous        bool
	}
	if err := json.Unmarshal(text, &vectors); err != nil || len(vectors) < 10 {
		t.Fatalf("%d vectors, %v", len(vectors), err)
	}
	for _, v := range vectors {
		m, err := Parse([]byte(v.Body))
		if v.Ambiguous && (err == nil || !strings.Contains(err.Error(), "type")) || !v.Ambiguous && (err != nil || m.Type != v.Type) {
			t.Errorf("%s: %q, %v", v.Name, m.Type, err)
		}
	}
}

func TestPositions(t *testing.T) {
	epoch, seq, err := ParsePosition(FormatPosition(0x0a1b2c3d, 1200))
	if err != nil || epoch != 0x0a1b2c3d || seq != 1200 {
		t.Errorf("%x %d %v", epoch, seq, err)
	}
	if FormatEpoch(7) != "00000007" {
		t.Error(FormatEpoch(7))
	}
	for _, wrong := range []string{
		"", ":", "7", "7:", ":7", "x:1", "7:x", "7:-1", "7:+1", "-7:1", "100000000:1", "7:9007199254740992", "7:1:1", "7: 1", "0x7:1",
	} {
		if _, _, err := ParsePosition(wrong); err == nil || !strings.Contains(err.Error(), "EPOCH:SEQ") {
			t.Errorf("%q: error %v", wrong, err)
		}
	}
}

func TestHelloBytes(t *testing.T) {
	if have := HelloBytes([]byte{1, 2}, "pi"); string(have) != "telepath hello v1\x00\x01\x02pi" {
		t.Errorf("%q", have)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"type":"challenge","nonce":"-_8","server":"s"}`,
		`{"type":"open","device":"pi","id":"u","want":["*"],"positions":{"3":"0a1b2c3d:7"},"offer":{"attempt":1,"sdp":"v=0"}}`,
		`{"type":"opened","device":{"id":"00","name":"n","state":"live","since":1.5,"facts":{"os":"linux"}}}`,
		`{"type":"describe","epoch":"0a1b2c3d","streams":[{"id":1,"name":"cpu","class":"live","meta":{"unit":"%"}}]}`,
		`{"type":"route","on":true,"streams":[1,7]}`,
		`{"type":"devices","full":true,"devices":[{"id":"00","session":3,"heard_ms":12}]}`,
		`{"type":"hello","key":"AQID","wills":[{"frame":"AQID"}],"facts":{"a":"b"}}`,
		`{"type":"bye","final":{"1":"0a1b2c3d:5"}}`, `{"type":"opened","Type":"candidate","type":null}`, `[[[[`, `{"a":"\"`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := Parse(body)
		if err != nil {
			return
		}
		if m.Type == "" {
			t.Fatalf("%q: no type", body)
		}
		var exact map[string]any
		if json.Unmarshal(body, &exact) != nil || exact["type"] != m.Type {
			t.Fatalf("%q: the type is read as %q", body, m.Type)
		}
		first, err := m.Append(nil)
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if len(first) > wire.MaxSignal || wire.Depth(first) > wire.MaxDepth {
			return // escapes made it longer than what Parse takes
		}
		again, err := Parse(first)
		if err != nil {
			t.Fatalf("%q encoded as %q: %v", body, first, err)
		}
		if second, _ := again.Append(nil); !bytes.Equal(first, second) {
			t.Fatalf("%q encoded as %q, then as %q", body, first, second)
		}
	})
}

func FuzzPosition(f *testing.F) {
	f.Add("0a1b2c3d:1200")
	f.Add(":")
	f.Fuzz(func(t *testing.T, text string) {
		epoch, seq, err := ParsePosition(text)
		if err != nil {
			return
		}
		if e, s, err := ParsePosition(FormatPosition(epoch, seq)); e != epoch || s != seq || err != nil {
			t.Fatalf("%q is %x %d, then %x %d %v", text, epoch, seq, e, s, err)
		}
	})
}
