package main

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// recordHandshake is the first byte of a TLS connection (RFC 8446, section 5.1).
const recordHandshake = 0x16

// intercept opens TLS as if the box were the server.
func (b *Box) intercept(client net.Conn) {
	conn := tls.Server(client, &tls.Config{
		GetCertificate: b.certificate,
		NextProtos:     []string{"h2", "http/1.1"},
	})
	ctx, cancel := context.WithTimeout(context.Background(), firstBytes)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		b.out.Print("TLS refused by the client: ", err)
		conn.Close()
		return
	}
	protocol := conn.ConnectionState().NegotiatedProtocol
	b.out.Print("TLS opened, client agreed on ", protocol)
	if protocol == "h2" && b.cfg.KillH2 {
		b.killAfterPreface(conn)
		return
	}
	b.hand(conn)
}

// certificate is one for the name that the client asks for; who asks for an address names none.
func (b *Box) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := hello.ServerName
	if name == "" {
		name, _, _ = net.SplitHostPort(b.cfg.To)
	}
	return b.authority.Issue(name)
}

// killAfterPreface lets the client begin, so that it believes in HTTP/2.
func (b *Box) killAfterPreface(conn net.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(firstBytes))
	_, _ = conn.Read(make([]byte, 24)) // the preface; whatever comes, it is reset
	b.reset(conn)
}
