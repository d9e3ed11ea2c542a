package room

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Bounds of a keep alive that a device may ask for.
const (
	DefaultKeepAlive = 3 * time.Second
	minKeepAlive     = 100 * time.Millisecond
	maxKeepAlive     = 10 * time.Minute
)

// Hello is a hello signal that was checked.
type Hello struct {
	ID        string // hash of the key
	Name      string
	KeepAlive time.Duration
	Epoch     string // of the run of the device's program; empty: not told
	Hellos    uint64 // that it has said, with this one
	Facts     map[string]string
	Host      string  // by which the device reached this server, HOST or HOST:PORT; empty: unknown. Set by who heard the hello
	UDP       *uint16 // what its welcome says of the UDP port; not the device's word
	wills     []will
}

// will is a Data frame to be published when its device is cut.
type will struct {
	header wire.Header
	body   []byte
}

// CheckHello checks a device's hello against the nonce that it had to sign.
func CheckHello(m signal.Message, nonce []byte) (Hello, *Refusal) {
	if m.Type != signal.Hello {
		return Hello{}, malformed("the first signal of a device is a %.32q, not a hello", m.Type)
	}
	if len(m.Key) != ed25519.PublicKeySize {
		return Hello{}, malformed("the key has %d bytes, not %d", len(m.Key), ed25519.PublicKeySize)
	}
	if err := wire.CheckName(m.Name, wire.MaxDeviceName); err != nil {
		return Hello{}, &Refusal{Code: "malformed", Reason: "device name: " + err.Error(), Remedy: "choose another name with --name"}
	}
	if !ed25519.Verify(ed25519.PublicKey(m.Key), signal.HelloBytes(nonce, m.Name), m.Sig) {
		return Hello{}, &Refusal{
			Code: "bad-signature", Reason: "the signature does not match the key, the name and this connection",
			Remedy: "check that the device's key file is intact",
		}
	}
	return readHello(m)
}

func readHello(m signal.Message) (Hello, *Refusal) {
	sum := sha256.Sum256(m.Key)
	h := Hello{ID: hex.EncodeToString(sum[:16]), Name: m.Name, Facts: cleanFacts(m.Facts), Epoch: plain(m.Epoch, maxEpoch), Hellos: m.Hellos}
	var refusal *Refusal
	if h.KeepAlive, refusal = checkKeepAlive(m.KeepAliveMS); refusal != nil {
		return h, refusal
	}
	h.wills, refusal = readWills(m.Wills)
	return h, refusal
}

func checkKeepAlive(ms uint64) (time.Duration, *Refusal) {
	keepAlive := time.Duration(min(ms, wire.MaxInt/uint64(time.Millisecond))) * time.Millisecond
	switch {
	case ms == 0:
		return DefaultKeepAlive, nil
	case keepAlive < minKeepAlive || keepAlive > maxKeepAlive:
		return 0, &Refusal{
			Code: "malformed", Reason: "the keep alive is not within " + minKeepAlive.String() + " and " + maxKeepAlive.String(),
			Remedy: "choose another with --keep-alive",
		}
	}
	return keepAlive, nil
}

// readWills opens the wills: complete Data frames without their length.
func readWills(wills []signal.Will) (out []will, refusal *Refusal) {
	if len(wills) > wire.MaxStreams {
		return nil, malformed("%d wills, more than %d", len(wills), wire.MaxStreams)
	}
	for i, w := range wills {
		packet := append(wire.AppendUvarint(nil, uint64(len(w.Frame))), w.Frame...)
		f, _, err := wire.NextFrame(packet)
		if err != nil || f.Type != wire.TypeData || len(f.Body) > wire.MaxData {
			return nil, malformed("will %d is not a Data frame of at most %d bytes", i+1, wire.MaxData)
		}
		h, _, err := wire.ParseData(f.Body)
		if err != nil || !h.Will || h.Class != wire.Event || h.Seq != 1 {
			return nil, malformed("will %d: its header is not that of a will (flag will, class event, seq 1)", i+1)
		}
		out = append(out, will{h, f.Body})
	}
	return out, nil
}

// cleanFacts makes facts fit to be shown: few, short, and plain text.
func cleanFacts(facts map[string]string) map[string]string {
	clean := make(map[string]string, min(len(facts), maxFacts))
	for name, fact := range facts {
		if len(clean) == maxFacts {
			break
		}
		if name = plain(name, maxFactName); name != "" {
			clean[name] = plain(fact, maxFact)
		}
	}
	return clean
}

// plain is text without what cannot be shown, of at most limit bytes.
func plain(text string, limit int) string {
	var b strings.Builder
	for _, r := range text {
		if !wire.Printable(r) {
			continue
		}
		if b.Len()+len(string(r)) > limit {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
