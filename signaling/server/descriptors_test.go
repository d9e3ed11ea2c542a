//go:build unix

package server

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/signaling/port"
)

// starvedEnv tells the test program that it is the server that runs out of descriptors.
const starvedEnv = "TELEPATH_TEST_STARVED_DATA"

const (
	fewDescriptors = 96              // that the server may have
	comesBack      = 5 * time.Second // from when there are descriptors again to the next connection
)

// TestOutOfDescriptors: every listener of a server that had no file descriptors
// left accepts again within 5 s of getting some.
func TestOutOfDescriptors(t *testing.T) {
	child := exec.Command(os.Args[0], "-test.run=^TestStarvedServer$")
	child.Env = append(os.Environ(), starvedEnv+"="+t.TempDir())
	child.Stderr = os.Stderr
	orders, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	reports, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer orders.Close() // it ends then
	lines := bufio.NewScanner(reports)
	next := func(what string) []string {
		for lines.Scan() {
			if fields := strings.Fields(lines.Text()); len(fields) > 0 && fields[0] == what {
				return fields[1:]
			}
		}
		t.Fatalf("the server ended before it was %s", what)
		return nil
	}
	order := func(what string) { fmt.Fprintln(orders, what) }

	addrs := next("serving")
	asks := map[string]func() error{
		"HTTP":        func() error { return answers(addrs[0], nil, "GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.0 200 ") },
		"TURN":        func() error { return answers(addrs[0], nil, allocate, allocate) },
		"ICE":         func() error { return answers(addrs[0], nil, framedCheck, framedCheck) },
		"metrics":     func() error { return answers(addrs[1], nil, "GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.0 200 ") },
		"HTTPS":       func() error { return answers(addrs[2], inTLS, "GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.0 200 ") },
		"TURN in TLS": func() error { return answers(addrs[2], inTLS, allocate, allocate) },
	}
	for name, ask := range asks {
		if err := ask(); err != nil {
			t.Fatalf("%s before: %v", name, err)
		}
	}
	order("exhaust")
	next("exhausted")
	waiting := make(chan error, len(asks))
	for name, ask := range asks {
		go func() {
			if err := ask(); err != nil {
				waiting <- fmt.Errorf("%s: %w", name, err)
				return
			}
			waiting <- nil
		}()
	}
	time.Sleep(2 * time.Second) // real time, for the pauses to grow
	select {
	case err := <-waiting:
		t.Fatalf("without descriptors somebody was served: %v", err)
	default:
	}
	order("free")
	next("freed")
	for deadline := time.After(comesBack); len(asks) > 0; {
		select {
		case err := <-waiting:
			if err != nil {
				t.Error(err)
			}
			for name := range asks {
				delete(asks, name)
				break
			}
		case <-deadline:
			t.Fatalf("%d listeners do not accept", len(asks))
		}
	}
}

var inTLS = &tls.Config{InsecureSkipVerify: true}

// answers reports whether a listener answers as it should.
func answers(addr string, secure *tls.Config, request, answer string) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if secure != nil {
		conn = tls.Client(conn, secure)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		return err
	}
	got := make([]byte, len(answer))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != answer {
		return fmt.Errorf("%q: %w", got, err)
	}
	return nil
}

// TestStarvedServer is that server, in a process of its own.
func TestStarvedServer(t *testing.T) {
	data := os.Getenv(starvedEnv)
	if data == "" {
		t.Skip("it is started by TestOutOfDescriptors")
	}
	limit := syscall.Rlimit{Cur: fewDescriptors, Max: fewDescriptors}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	plain := start(t, Config{Data: data + "/plain", Admin: "127.0.0.1:0"})
	secure := start(t, Config{Data: data + "/tls", TLSSelf: true})
	for _, s := range []*running{plain, secure} {
		defer echoes(t, s.tcp.Listener(port.TURN))()
		defer echoes(t, s.tcp.Listener(port.ICE))()
	}
	fmt.Println("serving", plain.Addr(), plain.AdminAddr(), secure.Addr())
	release := func() {}
	defer func() { release() }()
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		switch orders.Text() {
		case "exhaust":
			release = exhaust()
			fmt.Println("exhausted")
		case "free":
			release()
			release = func() {}
			fmt.Println("freed")
		}
	}
}

// exhaust takes all descriptors that there are, and those that others give
// back, until it is released. It returns when nobody gives back any more.
func exhaust() (release func()) {
	var taking sync.WaitGroup
	none, enough := make(chan struct{}), make(chan struct{})
	taking.Go(func() {
		var held []int
		for failures := 0; ; failures++ {
			fd, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0)
			if err == nil {
				held = append(held, fd)
				if failures < quiet {
					failures = -1
				}
				continue
			}
			if failures == quiet {
				close(none)
			}
			select {
			case <-enough:
				for _, fd := range held {
					syscall.Close(fd)
				}
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	<-none
	return func() {
		close(enough)
		taking.Wait()
	}
}

// quiet is how often in a row taking a descriptor must fail, with a millisecond between.
const quiet = 200
