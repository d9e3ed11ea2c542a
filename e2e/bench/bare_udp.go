package main

import (
	"fmt"
	"net"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
)

// datagramSize is what a sample of the workload is as an IPv4 packet.
const datagramSize = 20 + 8 + sampleSize

// dialUDP opens a socket; what a link refuses because the address of the socket is gone ends it.
func dialUDP(addr string) dialing { return dialNet(&net.Dialer{}, "udp", addr) }

func datagramReceiver(addr string) error {
	conn, err := net.ListenPacket("udp", addr)
	if err != nil {
		return err
	}
	fmt.Println("listening on", conn.LocalAddr())
	out := newOutput()
	for payload := make([]byte, sampleSize); ; {
		if _, _, err := conn.ReadFrom(payload); err != nil {
			return err
		}
		if err := say(out, payload); err != nil {
			return err
		}
	}
}

// datagrams is bare UDP from one host to another, as a subject.
type datagrams struct {
	heard
	sender, receiver *program.Program
}

func startDatagrams(self string, from, to *lab.Host) (*datagrams, error) {
	d := &datagrams{}
	addr := to.Addr.String() + ":9000"
	var err error
	d.receiver, err = program.Start(program.Spec{
		Name: "udp-receiver", OnLine: d.line, Args: to.Wrap(self, "bare", "udp-receiver", addr),
	})
	if err != nil {
		return nil, err
	}
	if _, err = d.receiver.WaitFor(listening, 10*time.Second); err == nil {
		d.sender, err = program.Start(program.Spec{Name: "udp-sender", Args: from.Wrap(self, "bare", "udp-sender", addr)})
	}
	if err != nil {
		d.receiver.Kill()
		return nil, err
	}
	return d, nil
}

func (d *datagrams) close() {
	d.sender.Kill()
	d.receiver.Kill()
}
