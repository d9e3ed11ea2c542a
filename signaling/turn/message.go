package turn

import (
	"encoding/binary"
	"time"

	"github.com/pion/stun/v4"
)

// kind is what a datagram of a client without an allocation is.
type kind int

const (
	other   kind = iota // nothing of ours
	request             // Binding or Allocate
	orphan              // a request that needs an allocation
	silent              // an indication, or data, that needs one; there is no answer to it
)

// kindOf looks at no more than the header.
func kindOf(p []byte) kind {
	if len(p) < channelHeader {
		return other
	}
	size, padding, err := frameSize(p)
	switch {
	case err != nil:
		return other
	case p[0] >= minChannelByte: // padding is optional over UDP (RFC 8656, section 12.5)
		if len(p) != size && len(p) != size+padding {
			return other
		}
		return silent
	case len(p) != size || binary.BigEndian.Uint32(p[channelHeader:]) != magicCookie:
		return other
	}
	t, _ := typeOf(p)
	switch {
	case t.Class == stun.ClassIndication:
		return silent
	case t.Class != stun.ClassRequest:
		return other
	case t.Method == stun.MethodBinding || t.Method == stun.MethodAllocate:
		return request
	}
	return orphan
}

// isBinding reports whether a request asks for nothing but the address that it comes from.
func isBinding(p []byte) bool {
	t, ok := typeOf(p)
	return ok && t.Method == stun.MethodBinding
}

// Types of messages that grant a lifetime (RFC 8656, section 17).
var (
	allocated = stun.NewType(stun.MethodAllocate, stun.ClassSuccessResponse)
	refreshed = stun.NewType(stun.MethodRefresh, stun.ClassSuccessResponse)
)

var bindRefused = stun.NewType(stun.MethodChannelBind, stun.ClassErrorResponse)

// lifetimeOf is how long an allocation lives from now on, if p grants it that.
func lifetimeOf(p []byte) (lifetime time.Duration, granted bool) {
	if t, ok := typeOf(p); !ok || t != allocated && t != refreshed {
		return 0, false
	}
	m := &stun.Message{Raw: append([]byte(nil), p...)}
	if m.Decode() != nil {
		return 0, false
	}
	value, err := m.Get(stun.AttrLifetime)
	if err != nil || len(value) != 4 {
		return 0, false
	}
	return time.Duration(binary.BigEndian.Uint32(value)) * time.Second, true
}

// typeOf is the type of a STUN message; not ok: it is none.
func typeOf(p []byte) (t stun.MessageType, ok bool) {
	if len(p) < stunHeader || p[0] > maxSTUNByte {
		return t, false
	}
	t.ReadValue(binary.BigEndian.Uint16(p))
	return t, true
}

// mismatch answers a request for whose client there is no allocation: 437
// (RFC 8656, section 7.3). After a restart of the server clients learn it thus
// at once, instead of from silence. It is shorter than any request with credentials.
func mismatch(request []byte) []byte {
	t, _ := typeOf(request)
	var m stun.Message
	copy(m.TransactionID[:], request[transactionAt:stunHeader])
	m.Type = stun.NewType(t.Method, stun.ClassErrorResponse)
	m.WriteHeader()
	// An empty phrase is allowed; this cannot fail.
	_ = stun.ErrorCodeAttribute{Code: stun.CodeAllocMismatch, Reason: []byte{}}.AddTo(&m)
	return m.Raw
}

// forbidden makes the answer 403 of a 401 to a ChannelBind that asks for no
// credentials: pion means a peer that is not permitted (RFC 8656, section 12.2),
// and a client would take it for its password. Any other message stays as it is.
func forbidden(p []byte) []byte {
	t, ok := typeOf(p)
	if !ok || t != bindRefused {
		return p
	}
	m := &stun.Message{Raw: append([]byte(nil), p...)}
	var code stun.ErrorCodeAttribute
	if m.Decode() != nil || code.GetFrom(m) != nil || code.Code != stun.CodeUnauthorized || m.Contains(stun.AttrNonce) {
		return p
	}
	changed, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), t, stun.CodeForbidden)
	if err != nil { // two attributes of ours always encode
		return p
	}
	return changed.Raw
}
