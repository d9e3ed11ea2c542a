package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

func TestEventStream(t *testing.T) {
	largest := bytes.Repeat([]byte{0xfb}, wire.MaxPacket)
	stream := comment + string(appendEvent(nil, []byte("one"))) + "event: later\r\nid: 7\r\ndata: dHdv\r\n\r\n" +
		"data:dGhyZWU\n\n:\n\ndata:\n\ndata\n\n" + string(appendEvent(nil, largest)) + "data: half"
	for name, r := range map[string]io.Reader{"at once": strings.NewReader(stream), "byte by byte": iotest.OneByteReader(strings.NewReader(stream))} {
		in := newEvents(r)
		for _, want := range []string{"one", "two", "three", string(largest)} {
			if got, err := in.next(); err != nil || string(got) != want {
				t.Fatalf("%s: got %.20q, %v; want %.20q", name, got, err, want)
			}
		}
		if got, err := in.next(); err != io.EOF {
			t.Errorf("%s: half an event gave %q, %v", name, got, err)
		}
	}
}

func TestEventStreamThatIsNone(t *testing.T) {
	for stream, want := range map[string]string{
		"data: " + strings.Repeat("A", maxLine) + "\n\n":         "longer than a packet",
		":" + strings.Repeat(" ", maxLine):                       "longer than a packet",
		string(appendEvent(nil, make([]byte, 1+wire.MaxPacket))): "longer than a packet",
		"data: not base64!\n\n":                                  "not base64url",
	} {
		_, err := newEvents(strings.NewReader(stream)).next()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", stream, err)
		}
	}
}

func FuzzEvents(f *testing.F) {
	f.Add([]byte("data: b25l\n\n:\n\n"))
	f.Add(appendEvent([]byte(comment), bytes.Repeat([]byte("x"), streamBuffer)))
	f.Fuzz(func(t *testing.T, stream []byte) {
		in := newEvents(bytes.NewReader(stream))
		for {
			packet, err := in.next()
			if err != nil {
				break
			}
			if len(packet) == 0 || len(packet) > wire.MaxPacket {
				t.Fatalf("a packet of %d bytes", len(packet))
			}
		}
		if len(stream) == 0 || len(stream) > wire.MaxPacket {
			return
		}
		if got, err := newEvents(bytes.NewReader(appendEvent(nil, stream))).next(); err != nil || !bytes.Equal(got, stream) {
			t.Fatalf("there and back: %q, %v", got, err)
		}
	})
}

func TestLinkIDs(t *testing.T) {
	id := newLinkID()
	if got, ok := parseLinkID(id.String()); !ok || got != id {
		t.Errorf("there and back: %v, %v", got, ok)
	}
	good := linkID{}.String()
	for _, text := range []string{"", good[1:], good + "A", good[:21] + "=", good[:21] + "B", good[:20] + "\r\n", "+" + good[1:]} {
		if _, ok := parseLinkID(text); ok {
			t.Errorf("%q counts as an id", text)
		}
	}
}

func FuzzHeaders(f *testing.F) {
	f.Add("1", "1024", linkID{}.String())
	f.Add("9007199254740992", "4294967296", "AAAAAAAAAAAAAAAAAAAAAAB")
	f.Fuzz(func(t *testing.T, seq, most, id string) {
		h := http.Header{headerSeq: {seq}, headerMax: {most}}
		if n, ok := parseSeq(h); ok && (n < 1 || n > wire.MaxInt) {
			t.Errorf("number %q is %d", seq, n)
		}
		if n, ok := parseMax(h); ok && (n < minPacket || n > wire.MaxPacket) {
			t.Errorf("bound %q is %d", most, n)
		}
		if got, ok := parseLinkID(id); ok && got.String() != id {
			t.Errorf("%q and %q are the same id", id, got)
		}
	})
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]bool{
		"1": true, "9007199254740991": true, "9007199254740992": false, "0": false, "-1": false, "+1": false, "1 ": false, "": false, "0x1": false,
	} {
		if _, ok := parseSeq(http.Header{headerSeq: {text}}); ok != want {
			t.Errorf("number %q: %v", text, ok)
		}
	}
	for text, want := range map[string]int{"1024": 1024, "65536": wire.MaxPacket, "4294967295": wire.MaxPacket, "": wire.MaxPacket, "1023": -1, "-5": -1, "4294967296": -1} {
		h := http.Header{}
		if text != "" {
			h.Set(headerMax, text)
		}
		if n, ok := parseMax(h); ok != (want > 0) || ok && n != want {
			t.Errorf("bound %q: %d, %v", text, n, ok)
		}
	}
}

func TestGoodbyes(t *testing.T) {
	data := wire.AppendFrame(nil, wire.TypeData, wire.Hop{Conn: 3}, []byte("data"))
	said := &carrier.CloseError{Code: wire.CodeByName("taken-over"), Reason: "the same key"}
	frames, bye := carrier.SplitEnd(append(bytes.Clone(data), carrier.EndPacket(said)...))
	if !bytes.Equal(frames, data) || bye.Error() != "closed by the other end: taken-over: the same key" {
		t.Errorf("got %q, %v", frames, bye)
	}
	if frames, bye = carrier.SplitEnd(carrier.EndPacket(carrier.Left{Cause: io.EOF})); len(frames) != 0 || bye != carrier.ErrClosed {
		t.Errorf("who just left: %q, %v", frames, bye)
	}
	for _, cause := range []error{nil, io.EOF, &carrier.CloseError{Remote: true}, carrier.ErrClosed} {
		if p := carrier.EndPacket(cause); p != nil {
			t.Errorf("%v is told to the other end: %q", cause, p)
		}
	}
	toConn := wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{Conn: 1}, []byte(`{"type":"end"}`))
	for _, packet := range [][]byte{data, toConn, append(carrier.EndPacket(said), data...), data[:3]} {
		if frames, bye := carrier.SplitEnd(packet); bye != nil || !bytes.Equal(frames, packet) {
			t.Errorf("%q ends the link: %v", packet, bye)
		}
	}
}

func FuzzSplitEnd(f *testing.F) {
	f.Add(carrier.EndPacket(carrier.Left{Cause: io.EOF}))
	f.Add(wire.AppendFrame(carrier.EndPacket(carrier.Left{Cause: io.EOF}), wire.TypeSignal, wire.Hop{}, []byte(`{"type":"end","code":7}`)))
	f.Fuzz(func(t *testing.T, packet []byte) {
		frames, bye := carrier.SplitEnd(packet)
		if !bytes.HasPrefix(packet, frames) || bye == nil && len(frames) != len(packet) {
			t.Fatalf("of %q remains %q, %v", packet, frames, bye)
		}
	})
}

func FuzzRefusals(f *testing.F) {
	f.Add(404, `{"code":"unknown-link","reason":"r","remedy":"m"}`, "")
	f.Add(413, `<html>`, "")
	f.Add(302, ``, "https://elsewhere.example")
	f.Fuzz(func(t *testing.T, status int, body, location string) {
		answer := &http.Response{
			StatusCode: status, Status: strconv.Itoa(status), Header: http.Header{"Location": {location}}, Body: io.NopCloser(strings.NewReader(body)),
		}
		err := answerError(answer, 100)
		var failure *carrier.Failure
		var refused *carrier.Refused
		var other *trouble
		if !errors.As(err, &failure) && !errors.As(err, &refused) && !errors.As(err, &other) {
			t.Fatalf("nobody knows what %v is", err)
		}
	})
}

func TestBodies(t *testing.T) {
	for _, size := range []int{0, 1, firstBuffer - 1, firstBuffer, firstBuffer + 1, wire.MaxPacket, wire.MaxPacket + 1, 10 * wire.MaxPacket} {
		got, err := readBody(iotest.HalfReader(bytes.NewReader(make([]byte, size))), nil)
		if tooLong := size > wire.MaxPacket; errors.Is(err, errTooLong) != tooLong || !tooLong && (err != nil || len(got) != size) {
			t.Errorf("a body of %d bytes: %d, %v", size, len(got), err)
		}
		if cap(got) > 2*max(size, firstBuffer) || cap(got) > wire.MaxPacket+1 {
			t.Errorf("a body of %d bytes takes %d", size, cap(got))
		}
	}
}
