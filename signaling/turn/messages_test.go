package turn

import (
	"encoding/binary"
	"log/slog"
	"net"
	"net/netip"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

var discard = slog.New(slog.DiscardHandler)

// Types and attributes of requests that pion's client does not make.
var (
	allocateType   = stun.NewType(stun.MethodAllocate, stun.ClassRequest)
	refreshType    = stun.NewType(stun.MethodRefresh, stun.ClassRequest)
	permissionType = stun.NewType(stun.MethodCreatePermission, stun.ClassRequest)
	bindType       = stun.NewType(stun.MethodChannelBind, stun.ClassRequest)
	udpTransport   = stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}}
)

func channel(n int) stun.Setter {
	return stun.RawAttribute{Type: stun.AttrChannelNumber, Value: []byte{byte(n >> 8), byte(n), 0, 0}}
}

// xorPeer is XOR-PEER-ADDRESS (RFC 8656, section 18.3), also with addresses that pion would write otherwise.
type xorPeer struct{ netip.AddrPort }

func (p xorPeer) AddTo(m *stun.Message) error {
	ip := p.Addr().AsSlice()
	family := byte(1)
	if len(ip) == net.IPv6len {
		family = 2
	}
	mask := binary.BigEndian.AppendUint32(nil, magicCookie)
	mask = append(mask, m.TransactionID[:]...)
	for i := range ip {
		ip[i] ^= mask[i]
	}
	value := binary.BigEndian.AppendUint16([]byte{0, family}, p.Port()^uint16(magicCookie>>16))
	m.Add(stun.AttrXORPeerAddress, append(value, ip...))
	return nil
}

func localAddr(conn net.PacketConn) string {
	if c, ok := conn.(*turn.STUNConn); ok {
		return c.Conn().LocalAddr().String()
	}
	return conn.LocalAddr().String()
}
