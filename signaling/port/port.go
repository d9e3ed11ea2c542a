// Package port lets one TCP port and one UDP port serve everything: HTTP, TURN
// and ICE. It looks at the first bytes of a connection, and at each datagram,
// and hands it to the side that it belongs to.
//
//	TCP  0x16                                TLS, which is ended here; then the same again inside
//	     0…3, STUN's cookie at 4             TURN     (RFC 8656, section 2.1)
//	     length, 0…3, STUN's cookie at 6     ICE-TCP  (RFC 6544; framing of RFC 4571)
//	     a letter                            HTTP
//	UDP  0…3: STUN Binding with USERNAME,
//	     its answers and indications         ICE
//	     other STUN                          TURN, which also answers plain STUN
//	     20…63: DTLS                         ICE      (RFC 7983)
//	     64…127: ChannelData                 TURN
//
// What is none of these is closed or dropped, and counted. Each side is a plain
// net.Listener or net.PacketConn and knows nothing of the others: one that is
// slow or gone costs the others nothing. Nothing here knows who anybody is, so
// everything is bounded: the time until a connection is identified, how many
// are waiting for that, the datagrams that wait for a side.
//
//	tcp := port.NewTCP(port.TCPConfig{Listener: listen.Persistent(l, log), TLS: tls})
//	go tcp.Run(ctx)
//	http.Serve(tcp.Listener(port.HTTP), handler)
//	turn.Serve(tcp.Listener(port.TURN), udp.PacketConn(port.TURN))
package port

// Side is one of those who share a port.
type Side int

// The sides.
const (
	HTTP Side = iota // TCP only
	TURN
	ICE
	sides // how many
)

// Sides are all of them, for who counts.
var Sides = [sides]Side{HTTP, TURN, ICE}

// String is the side's name in logs and metrics.
func (s Side) String() string { return [...]string{"http", "turn", "ice"}[s] }
