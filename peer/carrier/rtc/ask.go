package rtc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// This file asks STUN and TURN servers on their own, without a connection: for
// who wants to know what gets through.

// askEvery is how often a question over UDP is repeated, in vain until ctx ends.
const askEvery = 250 * time.Millisecond

// maxAnswer bounds, in bytes, what is read as an answer to a STUN request.
const maxAnswer = 1500

// AskSTUN asks a STUN server which address it sees of conn, a UDP socket on
// which nobody else reads (RFC 8489, section 2). No answer until ctx ends is
// the failure `udp-blocked`.
func AskSTUN(ctx context.Context, conn net.PacketConn, to netip.AddrPort) (seen netip.AddrPort, err error) {
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.Fingerprint)
	if err != nil {
		return seen, fmt.Errorf("make a STUN request: %w", err)
	}
	for ctx.Err() == nil {
		if _, err := conn.WriteTo(request.Raw, net.UDPAddrFromAddrPort(to)); err != nil {
			return seen, carrier.Explain(err)
		}
		seen, err := awaitSTUN(ctx, conn, request.TransactionID)
		if err == nil {
			return seen, nil
		}
	}
	return seen, carrier.Fail("udp-blocked", "no answer from "+to.String(), nil)
}

// awaitSTUN waits a moment for the answer to a request.
func awaitSTUN(ctx context.Context, conn net.PacketConn, id [stun.TransactionIDSize]byte) (seen netip.AddrPort, err error) {
	until := time.Now().Add(askEvery)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(until) {
		until = deadline
	}
	if err := conn.SetReadDeadline(until); err != nil {
		return seen, err
	}
	answer := &stun.Message{Raw: make([]byte, maxAnswer)}
	buf := make([]byte, maxAnswer)
	for {
		n, _, err := conn.ReadFrom(buf)
		if err != nil {
			return seen, err
		}
		answer.Raw = append(answer.Raw[:0], buf[:n]...)
		var mapped stun.XORMappedAddress
		if answer.Decode() != nil || answer.TransactionID != id || mapped.GetFrom(answer) != nil {
			continue // somebody else's, or an earlier one
		}
		addr, _ := netip.AddrFromSlice(mapped.IP)
		return netip.AddrPortFrom(addr.Unmap(), uint16(mapped.Port)), nil
	}
}

// Allocate has a TURN server, by one of its URLs, give an address, and gives it
// back. Errors are of type *carrier.Failure: `udp-blocked`, `turn-refused`, or what kept
// the connection to the server from being made.
func (cfg Config) Allocate(ctx context.Context, url string, s Server) (relayed netip.AddrPort, err error) {
	at, err := stun.ParseURI(url)
	if err != nil {
		return relayed, carrier.Fail("turn-unreachable", fmt.Sprintf("%.80q is not the URL of a TURN server", url), err)
	}
	conn, to, err := cfg.orDefault().turnConn(ctx, at)
	if err != nil {
		return relayed, carrier.Explain(err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // pion knows no context
	defer stop()
	client, err := turn.NewClient(&turn.ClientConfig{
		Conn: conn, TURNServerAddr: to, Username: s.Username, Password: s.Credential, LoggerFactory: logFactory{cfg.orDefault().Log},
	})
	if err != nil {
		return relayed, carrier.Explain(err)
	}
	defer client.Close()
	if err := client.Listen(); err != nil {
		return relayed, carrier.Explain(err)
	}
	allocation, err := client.Allocate()
	if err != nil {
		return relayed, noAllocation(ctx, at, err)
	}
	defer allocation.Close()
	relayed, _ = netip.ParseAddrPort(allocation.LocalAddr().String())
	return relayed, nil
}

// turnConn makes the socket or connection to a TURN server, and what stands
// for the server's address on it.
func (cfg Config) turnConn(ctx context.Context, at *stun.URI) (conn net.PacketConn, to string, err error) {
	addr := net.JoinHostPort(at.Host, strconv.Itoa(at.Port))
	switch {
	case at.Scheme == stun.SchemeTypeTURN && at.Proto == stun.ProtoTypeUDP:
		conn, err = net.ListenPacket("udp4", ":0")
		return conn, addr, err
	case at.Proto != stun.ProtoTypeTCP:
		return nil, "", fmt.Errorf("%v over %v is not used", at.Scheme, at.Proto)
	}
	stream, err := cfg.dialTURN(ctx, relayEnd{addr: addr, tls: at.Scheme == stun.SchemeTypeTURNS})
	if err != nil {
		return nil, "", err
	}
	return turn.NewSTUNConn(relayConn{stream, relatedTCP}), "192.0.2.1:1", nil
}

// noAllocation names why a TURN server gave no address. pion has no type for what the server says.
func noAllocation(ctx context.Context, at *stun.URI, err error) error {
	switch {
	case strings.Contains(err.Error(), "error 4"): // 401, 437, 438, 441, 486 of RFC 8656, section 19
		return carrier.Fail("turn-refused", err.Error(), err)
	case at.Proto == stun.ProtoTypeUDP:
		return carrier.Fail("udp-blocked", "no answer from "+at.Host, err)
	case ctx.Err() != nil:
		return carrier.Fail("turn-unreachable", "no answer", errors.Join(err, context.Cause(ctx)))
	}
	return carrier.Fail("turn-unreachable", err.Error(), err)
}
