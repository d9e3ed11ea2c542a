package main

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
)

// datagram is what a sample is as an IPv4 packet, in bytes.
func (l load) datagram() float64 { return float64(20 + 8 + l.size) }

// loadOf is that of an end: rate and size behind its address; without them the workload.
func loadOf(args []string) (l load, err error) {
	if len(args) < 3 {
		return workload, nil
	}
	_, err = fmt.Sscan(args[1]+" "+args[2], &l.rate, &l.size)
	return l, err
}

func (l load) args() []string { return []string{strconv.Itoa(l.rate), strconv.Itoa(l.size)} }

func datagramSender(args []string) error {
	l, err := loadOf(args)
	if err != nil {
		return err
	}
	return l.sendKept(dialUDP(args[0]))
}

// dialUDP opens a socket; what a link refuses because the address of the socket is gone ends it.
func dialUDP(addr string) dialing { return dialNet(&net.Dialer{}, "udp", addr) }

func datagramReceiver(args []string) error {
	l, err := loadOf(args)
	if err != nil {
		return err
	}
	conn, err := net.ListenPacket("udp", args[0])
	if err != nil {
		return err
	}
	fmt.Println("listening on", conn.LocalAddr())
	out := newOutput()
	for payload := make([]byte, l.size); ; {
		if _, _, err := conn.ReadFrom(payload); err != nil {
			return err
		}
		if err := l.say(out, payload); err != nil {
			return err
		}
	}
}

// datagrams is bare UDP from one host to another, as a subject.
type datagrams struct {
	heard
	sender, receiver *program.Program
}

func startDatagrams(self string, from, to *lab.Host, l load) (*datagrams, error) {
	d := &datagrams{}
	addr := to.Addr.String() + ":9000"
	var err error
	d.receiver, err = program.Start(program.Spec{
		Name: "udp-receiver", OnLine: d.line, Args: to.Wrap(append([]string{self, "bare", "udp-receiver", addr}, l.args()...)...),
	})
	if err != nil {
		return nil, err
	}
	if _, err = d.receiver.WaitFor(listening, 10*time.Second); err == nil {
		d.sender, err = program.Start(program.Spec{Name: "udp-sender", Args: from.Wrap(append([]string{self, "bare", "udp-sender", addr}, l.args()...)...)})
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
