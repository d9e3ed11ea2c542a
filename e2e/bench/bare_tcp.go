package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// dialTCP connects to a receiver. What the kernel could not deliver for keepAlive ends the connection.
func dialTCP(addr string) dialing {
	dialer := &net.Dialer{Timeout: dialTime, Control: func(_, _ string, raw syscall.RawConn) (err error) {
		refused := raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(keepAlive/time.Millisecond))
		})
		if refused != nil {
			return refused
		}
		return err
	}}
	return dialNet(dialer, "tcp", addr)
}

// dialNet sends each sample with one write to a connection.
func dialNet(dialer *net.Dialer, network, addr string) dialing {
	return func(ctx context.Context) (*sending, error) {
		conn, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &sending{write: func(payload []byte) error {
			_, err := conn.Write(payload)
			return err
		}, end: func() { conn.Close() }}, nil
	}
}

// tcpReceiver reads samples, one behind the other, from all who connect.
func tcpReceiver(addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Println("listening on", listener.Addr())
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go readTCP(conn)
	}
}

func readTCP(conn net.Conn) {
	defer conn.Close()
	out := newOutput()
	for payload := make([]byte, sampleSize); ; {
		if _, err := io.ReadFull(conn, payload); err != nil {
			return
		}
		if err := say(out, payload); err != nil {
			return
		}
	}
}
