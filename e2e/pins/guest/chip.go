package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"sync"
	"time"
)

// lines is how many the chip has.
const lines = 4

// chip is an MCP2221A on USB, as its driver in the kernel (hid-mcp2221) sees it: reports of 64 bytes come and go by /dev/uhid. It keeps
// a book of the levels of its lines. A line keeps its level until it is told another one, whoever is gone.
type chip struct {
	file *os.File

	mu      sync.Mutex
	outputs [lines]bool // guarded by mu, like all below: a line that is none is pulled down
	levels  [lines]bool
	book    []entry
}

// entry is the levels from a time on.
type entry struct {
	at     time.Time
	levels [lines]bool
}

// Events of uhid: linux/uhid.h.
const (
	uhidOutput  = 6
	uhidCreate  = 11
	uhidInput   = 12
	uhidPayload = 4096
)

// hidDescriptor has one report of 64 bytes each way.
var hidDescriptor = []byte{
	0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x40,
	0x09, 0x01, 0x81, 0x02, 0x09, 0x02, 0x91, 0x02, 0xc0,
}

const reportSize = 64

func plugIn() (*chip, error) {
	f, err := os.OpenFile("/dev/uhid", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	name, where := make([]byte, 128), make([]byte, 128)
	copy(name, "MCP2221")
	rd := make([]byte, uhidPayload)
	copy(rd, hidDescriptor)
	for _, part := range []any{
		uint32(uhidCreate), name, where, uint16(len(hidDescriptor)), uint16(3), // on USB
		uint32(0x04d8), uint32(0x00dd), uint32(0), uint32(0), rd,
	} {
		if err := binary.Write(&b, binary.NativeEndian, part); err != nil {
			return nil, err
		}
	}
	if _, err := f.Write(b.Bytes()); err != nil {
		return nil, err
	}
	c := &chip{file: f}
	go c.serve()
	return c, nil
}

func (c *chip) serve() {
	event := make([]byte, 4+uhidPayload+512)
	for {
		n, err := c.file.Read(event)
		if err != nil {
			fmt.Println("the chip:", err)
			return
		}
		if n < 4+reportSize || binary.NativeEndian.Uint32(event) != uhidOutput {
			continue
		}
		answer := make([]byte, 4+2+uhidPayload)
		binary.NativeEndian.PutUint32(answer, uhidInput)
		binary.NativeEndian.PutUint16(answer[4:], reportSize)
		c.obey(event[4:4+reportSize], answer[6:])
		if _, err := c.file.Write(answer); err != nil {
			fmt.Println("the chip:", err)
		}
	}
}

// Commands: chapter 3 of the chip's data sheet.
const (
	setLines = 0x50
	getLines = 0x51
)

// obey does what a report says. An answer begins with the command and 0, which is success, and repeats what was set.
func (c *chip) obey(report, answer []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	answer[0] = report[0]
	switch report[0] {
	case setLines:
		copy(answer[2:], report[2:2+4*lines])
		for i := range lines {
			one := report[2+4*i:]
			if one[0] != 0 {
				c.levels[i] = one[1] != 0
			}
			if one[2] != 0 {
				c.outputs[i] = one[3] == 0
			}
		}
		c.noteLocked()
	case getLines:
		for i := range lines {
			if c.levels[i] {
				answer[2+2*i] = 1
			}
			if !c.outputs[i] {
				answer[3+2*i] = 1
			}
		}
	default:
		copy(answer[2:reportSize], report[2:])
	}
}

func (c *chip) noteLocked() {
	e := entry{at: time.Now()}
	for i := range lines {
		e.levels[i] = c.levels[i] && c.outputs[i]
	}
	if n := len(c.book); n == 0 || c.book[n-1].levels != e.levels {
		c.book = append(c.book, e)
	}
}

// now is the levels of its lines.
func (c *chip) now() [lines]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.book) == 0 {
		return [lines]bool{}
	}
	return c.book[len(c.book)-1].levels
}

// since is the book from the last entry before a time on.
func (c *chip) since(t time.Time) []entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := len(c.book)
	for from > 0 {
		from--
		if c.book[from].at.Before(t) {
			break
		}
	}
	return append([]entry(nil), c.book[from:]...)
}
