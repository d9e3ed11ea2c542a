package room

import (
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

func TestDescriptionLimits(t *testing.T) {
	var d description
	part := func(from, n int, meta string) signal.Message {
		m := signal.Message{Type: signal.Describe, Epoch: "00000001"}
		for i := range n {
			m.Streams = append(m.Streams, signal.Stream{ID: uint32(from + i), Name: strings.Repeat("<", wire.MaxStreamName), Class: "live", Meta: json.RawMessage(meta)})
		}
		return m
	}
	meta := `"` + strings.Repeat("<", 30) + `"` // 6 bytes each when it is quoted
	for from := 1; from <= wire.MaxStreams; from += maxDescribed {
		if fresh, err := d.merge(part(from, maxDescribed, meta)); err != nil || fresh != (from == 1) {
			t.Fatal(fresh, err)
		}
	}
	if _, err := d.merge(part(1000, 1, "")); err == nil || !strings.Contains(err.Error(), "256") {
		t.Fatalf("one stream too many: %v", err)
	}
	large := `"` + strings.Repeat("x", 3000) + `"`
	var err error
	for from := 1; from <= wire.MaxStreams && err == nil; from += maxDescribed {
		_, err = d.merge(part(from, maxDescribed, large))
	}
	if err == nil || !strings.Contains(err.Error(), "exceed") {
		t.Fatalf("descriptions of 768 kB: %v", err)
	}
	if _, err := d.merge(part(1, maxDescribed+1, "")); err == nil {
		t.Fatal("one stream too many in a signal")
	}
	if _, err := d.merge(part(1, 1, `"`+strings.Repeat("x", maxMeta)+`"`)); err == nil {
		t.Fatal("a meta too long")
	}
	streams := 0
	for _, m := range d.messages() {
		body, err := m.Append(nil)
		if err != nil || len(body) > wire.MaxSignal || len(m.Streams) > maxDescribed {
			t.Fatalf("a describe of %d bytes, %d streams, %v", len(body), len(m.Streams), err)
		}
		streams += len(m.Streams)
	}
	if streams != wire.MaxStreams {
		t.Fatalf("%d streams are described", streams)
	}
}

func TestFactsAreMadePlain(t *testing.T) {
	facts := map[string]string{"os": "linux\x1b[31m\u202e", "host": strings.Repeat("é", 100), "\n": "x"}
	for i := range 40 {
		facts["more"+string(rune('a'+i))] = "x"
	}
	clean := cleanFacts(map[string]string{"os": facts["os"], "host": facts["host"], "\n": "x"})
	if clean["os"] != "linux[31m" || clean["host"] != strings.Repeat("é", maxFact/2) || len(clean) != 2 {
		t.Fatalf("%q", clean)
	}
	if n := len(cleanFacts(facts)); n > maxFacts {
		t.Fatalf("%d facts", n)
	}
}

func TestHelloOfAnotherConnectionIsNotReplayed(t *testing.T) {
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	nonce := make([]byte, 32)
	m := signal.Message{Type: signal.Hello, Key: signal.Bytes(public), Name: "rig", Sig: ed25519.Sign(key, signal.HelloBytes(nonce, "rig"))}
	if _, no := CheckHello(m, nonce); no != nil {
		t.Fatal(no)
	}
	nonce[0]++
	if _, no := CheckHello(m, nonce); no == nil || no.Code != "bad-signature" {
		t.Fatalf("replayed: %v", no)
	}
}
