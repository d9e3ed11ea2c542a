package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
)

// datagramSize is what a sample of the workload is as an IPv4 packet.
const datagramSize = 20 + 8 + sampleSize

// datagramSender sends samples as bare UDP: each its time and its number, then filling.
func datagramSender(addr string) error {
	conn, err := net.Dial("udp", addr)
	if err != nil {
		return err
	}
	number := uint64(0)
	return send(func(payload []byte) error {
		number++
		binary.BigEndian.PutUint64(payload[8:], number)
		_, _ = conn.Write(payload) // what a dark link refuses is lost as what it swallows
		return nil
	})
}

func datagramReceiver(addr string) error {
	conn, err := net.ListenPacket("udp", addr)
	if err != nil {
		return err
	}
	fmt.Println("listening on", conn.LocalAddr())
	for payload := make([]byte, sampleSize); ; {
		if _, _, err := conn.ReadFrom(payload); err != nil {
			return err
		}
		fmt.Println("datagram", binary.BigEndian.Uint64(payload), binary.BigEndian.Uint64(payload[8:]))
	}
}

// datagrams is bare UDP from one host to another, as a subject.
type datagrams struct {
	sender, receiver *program.Program

	mu  sync.Mutex
	got []arrival // guarded by mu
}

var datagramLine = regexp.MustCompile(`^datagram (\d+) (\d+)`)

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

func (d *datagrams) line(line program.Line) {
	found := datagramLine.FindStringSubmatch(line.Text)
	if found == nil {
		return
	}
	made, _ := strconv.ParseInt(found[1], 10, 64) // digits, by the pattern
	seq, _ := strconv.ParseUint(found[2], 10, 64)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.got = append(d.got, arrival{seq: seq, made: time.UnixMicro(made), at: line.At})
}

func (d *datagrams) arrivals() ([]arrival, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]arrival(nil), d.got...), nil
}

func (d *datagrams) close() {
	d.sender.Kill()
	d.receiver.Kill()
}
