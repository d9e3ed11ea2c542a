package turn

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/pion/stun/v4"
)

func stunFrame(t testing.TB, attribute int) []byte {
	m, err := stun.Build(stun.TransactionID, allocateType, stun.RawAttribute{Type: stun.AttrSoftware, Value: make([]byte, attribute)})
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

func TestFrames(t *testing.T) {
	big := append([]byte{0x40, 0, 0x20, 0x01}, make([]byte, 0x2001+3)...)
	for name, c := range map[string]struct {
		stream []byte
		frames [][]byte // nil: one that is too long
		end    error
	}{
		"nothing":         {nil, nil, io.EOF},
		"stun":            {stunFrame(t, 8), [][]byte{stunFrame(t, 8)}, io.EOF},
		"no data":         {[]byte{0x40, 0, 0, 0}, [][]byte{{0x40, 0, 0, 0}}, io.EOF},
		"one byte":        {[]byte{0x4f, 0xff, 0, 1, 'x', 0, 0, 0}, [][]byte{{0x4f, 0xff, 0, 1, 'x'}}, io.EOF},
		"no padding":      {[]byte{0x40, 0, 0, 1, 'x'}, nil, io.EOF},
		"half a frame":    {stunFrame(t, 8)[:24], nil, io.ErrUnexpectedEOF},
		"half a header":   {stunFrame(t, 8)[:6], nil, io.EOF},
		"odd length":      {[]byte{0, 3, 0, 1, 0x21, 0x12, 0xa4, 0x42}, nil, errMalformed},
		"no cookie":       {[]byte{0, 3, 0, 0, 0x21, 0x12, 0xa4, 0x43}, nil, errMalformed},
		"all zeros":       {make([]byte, 20), nil, errMalformed},
		"http":            {[]byte("POST / HTTP/1.1\r\n"), [][]byte{}, io.EOF}, // a long frame to us: whoever hands connections over tells it apart
		"tls":             {[]byte{0x16, 3, 1, 0, 0, 0, 0, 0}, nil, errMalformed},
		"too long, next":  {append(big, 0x40, 0, 0, 0), [][]byte{nil, {0x40, 0, 0, 0}}, io.EOF},
		"as long as none": {[]byte{0x40, 0, 0xff, 0xff}, nil, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			// Whole and in single bytes: where a frame is cut does not matter.
			for _, r := range []io.Reader{bytes.NewReader(c.stream), iotest.OneByteReader(bytes.NewReader(c.stream))} {
				frames, end := readAll(r)
				if !errors.Is(end, c.end) || len(frames) != len(c.frames) {
					t.Fatalf("%d frames, %v; want %d, %v", len(frames), end, len(c.frames), c.end)
				}
				for i := range frames {
					if c.frames[i] != nil && c.frames[i][0] == 0 { // their transaction ids differ
						continue
					}
					if !bytes.Equal(frames[i], c.frames[i]) {
						t.Errorf("frame %d: % x, want % x", i, frames[i], c.frames[i])
					}
				}
			}
		})
	}
}

// readAll reads frames until the end; one that is too long is nil.
func readAll(r io.Reader) (frames [][]byte, end error) {
	in := bufio.NewReaderSize(r, streamBuffer)
	p := make([]byte, maxFrame+1)
	for {
		switch n, err := readFrame(in, p); {
		case err == nil:
			frames = append(frames, bytes.Clone(p[:n]))
		case errors.Is(err, errTooLong):
			frames = append(frames, nil)
		default:
			return frames, err
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(stunFrame(f, 20))
	f.Add([]byte{0x40, 0, 0, 5, 'h', 'e', 'l', 'l', 'o', 0, 0, 0, 0x40, 0, 0xff, 0xff})
	f.Add([]byte{0, 3, 0xff, 0xec, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}) // 20 bytes and 65,516 more: 0 as a uint16
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		frames, end := readAll(bytes.NewReader(stream))
		if end == nil {
			t.Fatal("a stream without an end")
		}
		if len(frames) > len(stream)/channelHeader {
			t.Fatalf("%d frames of %d bytes", len(frames), len(stream))
		}
		again, _ := readAll(iotest.OneByteReader(bytes.NewReader(stream)))
		if len(again) != len(frames) {
			t.Fatalf("%d frames at once, %d byte by byte", len(frames), len(again))
		}
		total := 0
		for i, frame := range frames {
			if !bytes.Equal(frame, again[i]) {
				t.Fatalf("frame %d: % x at once, % x byte by byte", i, frame, again[i])
			}
			if total += len(frame); frame == nil {
				continue
			}
			if size, _, err := frameSize(frame); err != nil || size != len(frame) {
				t.Fatalf("frame %d of %d bytes: %d, %v: % x", i, len(frame), size, err, frame)
			}
		}
		if total > len(stream) {
			t.Fatalf("%d bytes in frames of a stream of %d", total, len(stream))
		}
	})
}

func FuzzMessages(f *testing.F) {
	f.Add(stunFrame(f, 20))
	f.Add(mismatch(stunFrame(f, 4)))
	f.Add([]byte{0x40, 0, 0, 0})
	f.Fuzz(func(t *testing.T, p []byte) {
		before := bytes.Clone(p)
		kind := kindOf(p)
		forbidden(p)
		lifetimeOf(p)
		if kind == orphan {
			answer := &stun.Message{Raw: mismatch(p)}
			if err := answer.Decode(); err != nil || len(answer.Raw) > len(p)+channelHeader+alignment {
				t.Fatalf("% x is answered with % x: %v", p, answer.Raw, err)
			}
		}
		if !bytes.Equal(p, before) {
			t.Fatal("a message was changed where it lay")
		}
	})
}
