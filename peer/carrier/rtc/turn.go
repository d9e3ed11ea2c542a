package rtc

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"
	"github.com/telepath-iot/telepath/peer/carrier"
)

// relayDialTime bounds the making of a connection to a TURN server: TCP, an
// HTTP proxy's CONNECT, TLS.
const relayDialTime = 8 * time.Second

// maxURLs is how many URLs of servers are used: each costs a socket, an
// allocation, and pairs with each address of the other end.
const maxURLs = 8

// relayEnd is a TURN server that is reached over TCP.
type relayEnd struct {
	addr string // HOST:PORT
	tls  bool
}

// relayDialer connects to TURN servers over TCP and TLS for pion, which knows
// neither HTTP proxies that log in nor whom the user trusts, and sends `turns:`
// in the clear through a dialer that is not its own.
//
// pion looks the server's name up before it uses the connection, though the
// connection is there. Behind a proxy there may be no one to ask: so pion is
// given addresses that stand for the servers (RFC 5737).
type relayDialer struct {
	cfg  Config
	life context.Context
	ends map[string]relayEnd // by what stands for it, HOST:PORT
	last atomic.Pointer[carrier.Failure]
}

// iceServers are the configuration's as pion takes them. A URL that is none
// does not spoil the others.
func (d *relayDialer) iceServers() (list []webrtc.ICEServer) {
	n := 0
	for _, s := range d.cfg.Servers {
		server := webrtc.ICEServer{Username: s.Username, Credential: s.Credential}
		for _, text := range s.URLs {
			url, err := d.use(text)
			if err != nil || n == maxURLs {
				d.cfg.Log.Debug("a URL of a server is not used", "url", fmt.Sprintf("%.80q", text), "err", err)
				continue
			}
			n++
			server.URLs = append(server.URLs, url)
		}
		if len(server.URLs) > 0 {
			list = append(list, server)
		}
	}
	return list
}

// use is the URL that pion is given for one of the configuration.
func (d *relayDialer) use(text string) (string, error) {
	url, err := stun.ParseURI(text)
	switch {
	case err != nil:
		return "", err
	case url.Scheme == stun.SchemeTypeSTUN && d.cfg.RelayOnly:
		return "", fmt.Errorf("STUN finds no relayed address")
	case url.Scheme == stun.SchemeTypeSTUN, url.Scheme == stun.SchemeTypeTURN && url.Proto == stun.ProtoTypeUDP:
		return text, nil
	case url.Proto != stun.ProtoTypeTCP || url.Scheme == stun.SchemeTypeSTUNS:
		return "", fmt.Errorf("%v over %v is not used", url.Scheme, url.Proto)
	}
	stand := "192.0.2." + strconv.Itoa(len(d.ends)+1)
	d.ends[net.JoinHostPort(stand, "1")] = relayEnd{
		addr: net.JoinHostPort(url.Host, strconv.Itoa(url.Port)), tls: url.Scheme == stun.SchemeTypeTURNS,
	}
	return fmt.Sprintf("%v:%s:1?transport=tcp", url.Scheme, stand), nil
}

// Dial implements golang.org/x/net/proxy.Dialer.
func (d *relayDialer) Dial(_, stand string) (net.Conn, error) {
	end, ok := d.ends[stand]
	if !ok {
		return nil, fmt.Errorf("%s stands for no TURN server", stand)
	}
	ctx, cancel := context.WithTimeout(d.life, relayDialTime)
	defer cancel()
	conn, err := d.cfg.dialTURN(ctx, end)
	if err != nil {
		d.last.Store(carrier.Explain(err))
		return nil, err
	}
	if end.tls {
		return relayConn{conn, relatedTLS}, nil
	}
	return relayConn{conn, relatedTCP}, nil
}

// dialTURN connects to a TURN server as a link would connect to its server.
func (cfg Config) dialTURN(ctx context.Context, end relayEnd) (net.Conn, error) {
	dial := cfg.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, "tcp", end.addr)
	if err != nil || !end.tls {
		return conn, err
	}
	secure := tls.Client(conn, cfg.tlsFor(end.addr))
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

func (cfg Config) tlsFor(addr string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.TLS != nil {
		c = cfg.TLS.Clone()
	}
	if c.ServerName == "" {
		c.ServerName, _, _ = net.SplitHostPort(addr)
	}
	c.NextProtos = nil // those of HTTP
	return c
}

// What a relayed candidate of ours has for its related port if the TURN server
// is reached over TCP: pion keeps nothing else of it that is not a walk through
// all its statistics. No socket for UDP has such a port by itself.
const (
	relatedTCP = 9 // where there is nothing to say (RFC 8839, section 5.1)
	relatedTLS = 10
)

// relayConn is a connection to a TURN server.
type relayConn struct {
	net.Conn
	related int
}

// LocalAddr is not the real one. It would go to the other end in our
// candidate, which has no use for it; and pion would ask for a relayed address
// of its family, while the two ends need one of the same.
func (c relayConn) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: c.related} }
