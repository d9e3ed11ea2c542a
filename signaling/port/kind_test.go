package port

import (
	"bytes"
	"encoding/binary"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Types of messages of STUN: method and class (RFC 8489, section 5).
const (
	bindingRequest    = 0x0001
	bindingIndication = 0x0011
	bindingSuccess    = 0x0101
	allocateRequest   = 0x0003
)

// stun is a message with attributes, each padded, as they are.
func stun(kind uint16, attributes ...[]byte) []byte {
	body := bytes.Join(attributes, nil)
	b := binary.BigEndian.AppendUint16(nil, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	b = binary.BigEndian.AppendUint32(b, magicCookie)
	b = append(b, "transaction!"...)
	return append(b, body...)
}

func attribute(kind uint16, value string) []byte {
	b := binary.BigEndian.AppendUint16(nil, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(len(value)))
	b = append(b, value...)
	return append(b, make([]byte, -len(value)&3)...)
}

func framed(message []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...)
}

var (
	plainSTUN = stun(bindingRequest, attribute(0x8022, "software"))
	check     = stun(bindingRequest, attribute(0x8022, "odd"), attribute(username, "ours:theirs"))
	allocate  = stun(allocateRequest, attribute(0x0019, "\x11\x00\x00\x00"), attribute(username, "1700000000:x"))
	channel   = []byte("\x40\x01\x00\x04data")
	dtls      = []byte("\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00")
)

func TestKindOfStream(t *testing.T) {
	for name, c := range map[string]struct {
		bytes []byte
		want  kind
		after int // bytes that are enough
	}{
		"a page":             {[]byte("GET / HTTP/1.1\r\n"), isHTTP, 1},
		"HTTP/2 in clear":    {[]byte("PRI * HTTP/2.0\r\n"), isHTTP, 1},
		"a small method":     {[]byte("get / HTTP/1.1\r\n"), isHTTP, 1},
		"TLS":                {[]byte("\x16\x03\x01\x02\x00\x01"), isTLS, 1},
		"Allocate":           {allocate, isTURN, 8},
		"plain STUN":         {plainSTUN, isTURN, 8},
		"a check":            {framed(check), isICE, 10},
		"a long check":       {framed(stun(bindingRequest, attribute(username, "ours:theirs"), make([]byte, 1300))), isICE, 10},
		"another cookie":     {[]byte("\x00\x01\x00\x00\x21\x12\xa4\x43"), unknown, 8},
		"an odd length":      {[]byte("\x00\x01\x00\x03\x21\x12\xa4\x42"), unknown, 4},
		"a frame too long":   {append([]byte{0, 24}, stun(bindingRequest)...), unknown, 6},
		"a frame of nothing": {[]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, unknown, 5},
		"a huge frame":       {append([]byte{8, 0}, plainSTUN...), unknown, 1},
		"SSH is HTTP to us":  {[]byte("SSH-2.0-x"), isHTTP, 1},
		"zeros":              {make([]byte, 20), unknown, 5},
		"ones":               {bytes.Repeat([]byte{0xff}, 20), unknown, 1},
		"ChannelData":        {channel, unknown, 1},
		"MQTT":               {[]byte("\x10\x25\x00\x04MQTT"), unknown, 1},
	} {
		for n := range len(c.bytes) + 1 {
			want := c.want
			if n < c.after {
				want = undecided
			}
			if got := kindOfStream(c.bytes[:n]); got != want {
				t.Errorf("%s: %d bytes are %d, want %d", name, n, got, want)
			}
		}
	}
}

// FuzzKindOfStream: what was decided stays, however the bytes are cut, and
// nobody waits for more than headBytes.
func FuzzKindOfStream(f *testing.F) {
	for _, seed := range [][]byte{allocate, framed(check), plainSTUN, dtls, []byte("GET /"), {3, 0, 0, 0}, {7, 255, 0, 1}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		decided := undecided
		for n := range len(b) + 1 {
			got := kindOfStream(b[:n])
			if decided != undecided && got != decided {
				t.Fatalf("%d bytes are %d, fewer were %d", n, got, decided)
			}
			decided = got
		}
		if decided == undecided && len(b) >= headBytes {
			t.Fatal("there is no end to it")
		}
		if decided == isTURN && !mayBeSTUN(b) || decided == isICE && !mayBeSTUN(b[framing:]) {
			t.Fatalf("%d without a cookie", decided)
		}
	})
}

func TestSideOfDatagram(t *testing.T) {
	nobody := Side(-1)
	cut := func(b []byte, n int) []byte { return b[:len(b)-n] }
	for name, c := range map[string]struct {
		bytes []byte
		want  Side
	}{
		"a check":                    {check, ICE},
		"its answer":                 {stun(bindingSuccess, attribute(0x0020, "\x00\x01\x00\x00\x00\x00\x00\x00")), ICE},
		"keep alive":                 {stun(bindingIndication), ICE},
		"plain STUN":                 {plainSTUN, TURN},
		"STUN without attributes":    {stun(bindingRequest), TURN},
		"Allocate":                   {allocate, TURN},
		"Send":                       {stun(0x0016, attribute(0x0013, "data")), TURN},
		"DTLS":                       {dtls, ICE},
		"the last of DTLS":           {append([]byte{63}, dtls...), ICE},
		"ChannelData":                {channel, TURN},
		"padded ChannelData":         {append(bytes.Clone(channel), 0, 0), TURN},
		"nothing":                    {nil, nobody},
		"RTP":                        {append([]byte{0x80}, dtls...), nobody},
		"ZRTP":                       {append([]byte{0x10}, dtls...), nobody},
		"a cut message":              {cut(check, 1), nobody},
		"a message and more":         {append(bytes.Clone(check), 0, 0, 0, 0), nobody},
		"a cut header":               {stun(bindingRequest)[:19], nobody},
		"a message of old STUN":      {append([]byte("\x00\x01\x00\x00\x21\x12\xa4\x43"), make([]byte, 12)...), nobody},
		"cut ChannelData":            {cut(channel, 1), nobody},
		"half of a DTLS header":      {dtls[:7], nobody},
		"an attribute that is cut":   {stun(bindingRequest, []byte("\x80\x22\xff\xff")), TURN},
		"USERNAME behind such a one": {stun(bindingRequest, []byte("\x80\x22\x00\x50"), attribute(username, "x")), TURN},
	} {
		got, known := sideOfDatagram(c.bytes)
		if !known {
			got = nobody
		}
		if got != c.want {
			t.Errorf("%s is for %d, want %d", name, got, c.want)
		}
	}
}

func FuzzSideOfDatagram(f *testing.F) {
	for _, seed := range [][]byte{allocate, check, plainSTUN, dtls, channel} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		side, known := sideOfDatagram(b)
		if known && side != ICE && side != TURN {
			t.Fatalf("a datagram for %v", side)
		}
		if known && b[0] <= highestType && binary.BigEndian.Uint32(b[cookieAt:]) != magicCookie {
			t.Fatal("STUN without a cookie")
		}
	})
}
