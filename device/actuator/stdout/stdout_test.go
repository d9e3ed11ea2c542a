package stdout

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/telepath-iot/telepath/device/urgent"
	"github.com/telepath-iot/telepath/peer/rpc"
)

// program is the one at the other end of the pipes.
type program struct {
	lines *bufio.Scanner
	write *io.PipeWriter
	close func()
}

func start(answers bool) (*Stdout, *program) {
	in, out := io.Pipe()
	fromIt, toUs := io.Pipe()
	cfg := Config{Axes: []rpc.Axis{{ID: 1, Name: "speed"}, {ID: 2, Name: "arm"}}, Out: out}
	if answers {
		cfg.In = fromIt
	}
	return New(cfg), &program{bufio.NewScanner(in), toUs, func() { in.Close(); toUs.Close() }}
}

func (p *program) read() string {
	p.lines.Scan()
	return p.lines.Text()
}

func (p *program) say(line string) { _, _ = p.write.Write([]byte(line + "\n")) } // nobody may listen any more

func TestSetAndSafe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := start(false)
		defer p.close()
		go func() { _, _ = s.Apply(map[uint64]float64{1: 0.5}) }()
		if got := p.read(); got != `{"set":{"speed":0.5}}` {
			t.Error(got)
		}
		synctest.Wait()
		// Nobody reads: that is said, what is newer takes the place of what is older, and safe goes in front.
		for i := range 3 {
			if _, err := s.Apply(map[uint64]float64{1: float64(i), 2: 7}); !errors.Is(err, errUnread) {
				t.Error(err)
			}
		}
		if err := s.Safe(); !errors.Is(err, errUnread) {
			t.Error(err)
		}
		if _, err := s.Call(t.Context(), "light", nil, nil); !errors.Is(err, errUnread) {
			t.Error(err)
		}
		var got []string
		go func() {
			for p.lines.Scan() {
				got = append(got, p.lines.Text())
			}
		}()
		synctest.Wait()
		if diff := cmp.Diff([]string{`{"set":{"arm":7,"speed":0}}`, `{"safe":true}`}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := start(true)
		go func() {
			for p.lines.Scan() {
				var line struct {
					ID, Cancel   uint64
					Call, Params any
				}
				if json.Unmarshal(p.lines.Bytes(), &line) != nil {
					t.Errorf("%s", p.lines.Bytes())
				}
				p.say(`no JSON`)
				switch line.Call {
				case "light":
					for range 100 {
						p.say(`{"progress": 0.5, "id": 1}`)
					}
					p.say(`{"done": {"on": true}, "id": 1}`)
					p.say(`{"failed": "twice", "id": 1}`)
				case "dark":
					p.say(`{"failed": "no lamp", "id": 2}`)
				}
				if line.Cancel == 3 {
					time.Sleep(5 * time.Second)
					p.say(`{"done": true, "id": 3}`)
				}
			}
		}()
		told := 0
		result, err := s.Call(t.Context(), "light", json.RawMessage(`{"on":true}`), func(float64) { told++ })
		if err != nil || string(result) != `{"on": true}` || told == 0 {
			t.Errorf("%s, %v, told %d times", result, err, told)
		}
		if _, err := s.Call(t.Context(), "dark", nil, nil); err == nil || err.Error() != "no lamp" {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		if _, err := s.Call(ctx, "long", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if took := time.Since(begun); took != 6*time.Second { // it has ended when the program says so
			t.Errorf("it took %v", took)
		}
		gone := make(chan error)
		go func() {
			_, err := s.Call(t.Context(), "long", nil, nil)
			gone <- err
		}()
		synctest.Wait()
		p.close()
		if err := <-gone; !errors.Is(err, errGone) {
			t.Error(err)
		}
		begun = time.Now()
		if _, err := s.Call(t.Context(), "light", nil, nil); !errors.Is(err, errGone) || time.Since(begun) > 0 {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		if err := s.Safe(); err == nil {
			t.Error("nobody is there, and all is said to be safe")
		}
	})
}

// What the program says is read from the beginning, however long a line of it is: else it hangs at last.
func TestAnswersAreReadOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := start(true)
		defer p.close()
		var log bytes.Buffer
		s.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
		go func() {
			p.read()
			for _, bytes := range []int{maxLine - 2, maxLine, 3 * maxLine} {
				p.say(strings.Repeat("x", bytes))
			}
			p.read()
			p.say(`{"done": 1, "id": 1}`)
		}()
		if err := s.Safe(); err != nil {
			t.Error(err)
		}
		if result, err := s.Call(t.Context(), "light", nil, nil); err != nil || string(result) != "1" {
			t.Errorf("%s, %v", result, err)
		}
		if n := strings.Count(log.String(), "too long"); n != 1 {
			t.Errorf("said %d times:\n%s", n, log.String())
		}
	})
}

// A program that reads nothing when a call is cancelled runs it on.
func TestACancelIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := start(true)
		defer p.close()
		go func() {
			p.read()
			time.Sleep(5 * time.Second)
			p.read()
			p.say(`{"failed": "cancelled", "id": 1}`)
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		_, err := s.Call(ctx, "long", nil, nil)
		if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took != 5*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"done": 1, "id": 1}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		s := New(Config{})
		s.calls[1] = make(chan reply, 16)
		for range 40 {
			s.answer(line)
		}
	})
}

func TestGuardIsNamed(t *testing.T) {
	if argv := New(Config{Guard: urgent.Command{Argv: []string{"motor", "stop"}}}).SafeCommand().Argv; !slices.Equal(argv, []string{"motor", "stop"}) {
		t.Error(argv)
	}
}
