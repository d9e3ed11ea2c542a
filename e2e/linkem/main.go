// Command linkem joins two network namespaces by a bad link. Whatever runs in
// them uses the kernel's own TCP and UDP; linkem only carries the IP packets,
// with delay, jitter, loss, a rate limit and so on. See README.md.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a closed standard output must not keep us from cleaning up
	cmd, args := run, os.Args[1:]
	if len(args) > 0 {
		switch args[0] {
		case "ctl":
			cmd, args = control, args[1:]
		case "selfcheck":
			cmd, args = selfcheck, args[1:]
		}
	}
	if err := cmd(args); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "linkem:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	fs := flag.NewFlagSet("linkem", flag.ContinueOnError)
	var cfg Config
	fs.StringVar(&cfg.NSA, "ns-a", "lka", "first namespace")
	fs.StringVar(&cfg.NSB, "ns-b", "lkb", "second namespace; \"\": this program's own, whose routes stay as they are")
	fs.TextVar(&cfg.AddrA, "addr-a", netip.MustParsePrefix("10.77.0.1/24"), "address in the first namespace")
	fs.TextVar(&cfg.AddrB, "addr-b", netip.MustParsePrefix("10.77.0.2/24"), "address in the second namespace")
	fs.StringVar(&cfg.Dev, "dev", "lnk0", "name of the TUN device in both namespaces")
	fs.IntVar(&cfg.MTU, "mtu", 1500, "MTU of the link")
	fs.Uint64Var(&cfg.Seed, "seed", 1, "seed of all random decisions")
	fs.BoolVar(&cfg.Realtime, "rt", false, "forward at real-time priority, for steady figures on a busy machine")
	both := fs.String("both", "", `conditions of both directions, such as "delay=50ms loss=2%"`)
	a2b := fs.String("a2b", "", "conditions from a to b, applied after -both")
	b2a := fs.String("b2a", "", "conditions from b to a, applied after -both")
	socket := fs.String("control", "", "path of a unix socket that takes commands")
	stdin := fs.Bool("stdin", false, "take commands on standard input; its end is the end of linkem")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if cfg.MTU < 576 || cfg.MTU > maxMTU {
		return fmt.Errorf("MTU %d out of range", cfg.MTU)
	}
	quit := make(chan os.Signal, 1) // from here on: what is being made is there to be taken away
	signal.Notify(quit, syscall.SIGINT, syscall.SIGTERM)
	debug.SetGCPercent(800) // packets are recycled; collections would only add jitter
	em, err := newEmulator(cfg)
	if err != nil {
		return err
	}
	defer em.Close()
	for _, command := range []string{"both " + *both, "a2b " + *a2b, "b2a " + *b2a} {
		if _, err := em.Do(command); err != nil {
			return err
		}
	}

	end := func() {
		select {
		case quit <- syscall.SIGTERM:
		default:
		}
	}
	if *socket != "" {
		_ = os.Remove(*socket)
		ln, err := net.Listen("unix", *socket)
		if err != nil {
			return err
		}
		defer ln.Close()
		go func() {
			for {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				go func() {
					defer conn.Close()
					if em.serve(conn, conn) {
						end()
					}
				}()
			}
		}()
	}
	if *stdin {
		go func() { em.serve(os.Stdin, os.Stdout); end() }()
	}
	fmt.Println("ready")
	<-quit
	out, err := json.MarshalIndent(em.Stats(), "", "  ")
	fmt.Println(string(out))
	return err
}

// control sends each argument as a command to a running linkem.
func control(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: linkem ctl SOCKET COMMAND [COMMAND]")
	}
	conn, err := net.Dial("unix", args[0])
	if err != nil {
		return err
	}
	defer conn.Close()
	answers := bufio.NewScanner(conn)
	for _, command := range args[1:] {
		if _, err := fmt.Fprintln(conn, command); err != nil {
			return err
		}
		for answers.Scan() && answers.Text() != "ok" {
			if msg, bad := strings.CutPrefix(answers.Text(), "error: "); bad {
				return errors.New(msg)
			}
			fmt.Println(answers.Text())
		}
	}
	return answers.Err()
}
