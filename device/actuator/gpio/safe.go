package gpio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	// safePatience is how often it is looked whether the pin process, which has not answered yet, is stopped. Then it is killed, or
	// else if it hangs.
	safePatience = 10 * time.Millisecond
	// safeWithin is how long it is tried: then who started this starts another one.
	safeWithin = 1500 * time.Millisecond
)

var (
	errBusy = errors.New("in use by another process")
	errGone = errors.New("nobody holds the pins")
	errDeaf = errors.New("the pin process does not answer")
)

// makeSafe stands by until in says something, or ends. Then it has everything made safe by the process that holds the pins, or takes
// them itself if there is none. Without an error all is safe.
func makeSafe(dir string, p plan, on taker, in io.Reader) error {
	if err := os.Chdir(dir); err != nil {
		return err
	}
	_, _ = in.Read(make([]byte, 1)) // whatever comes of it is the word
	return persist(p, on, time.Now().Add(safeWithin))
}

// persist asks who holds the pins, and takes them where nobody does, until a time.
func persist(p plan, on taker, until time.Time) (err error) {
	for ; time.Now().Before(until); time.Sleep(busyPause) {
		if err = ask(); err == nil || !errors.Is(err, errGone) && !errors.Is(err, errDeaf) {
			return err
		}
		var h *holder
		if h, err = take(p, on, time.Now()); err == nil {
			h.release()
			return nil
		}
		if !errors.Is(err, errBusy) {
			return err
		}
	}
	return err
}

// ask has the pin process make everything safe. One that does not answer is killed.
func ask() error {
	c, err := net.DialTimeout("unix", socket, hanging)
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return errGone
	case err != nil:
		return errors.Join(errDeaf, err)
	}
	defer c.Close()
	said, err := hear(c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.Join(errDeaf, killPeer(c))
	}
	switch {
	case err != nil:
		return errGone // it has ended meanwhile
	case said != "safe":
		return fmt.Errorf("the pin process: %.256s", said)
	}
	return nil
}

// hear reads the answer, for as long as there may be one.
func hear(c net.Conn) (said string, err error) {
	in := bufio.NewReader(io.LimitReader(c, maxLine))
	for end := time.Now().Add(hanging); ; {
		if err := c.SetReadDeadline(time.Now().Add(safePatience)); err != nil {
			return "", err
		}
		var part string
		part, err = in.ReadString('\n')
		said += part
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Now().After(end) {
			break
		}
		if pid, failed := peer(c); failed == nil && isStopped(pid) {
			break
		}
	}
	return strings.TrimSuffix(said, "\n"), err
}

// killPeer ends the process that listens at the other end: what it holds is free then.
func killPeer(c net.Conn) error {
	pid, err := peer(c)
	if err != nil {
		return err
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	return nil
}
