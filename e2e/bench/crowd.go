package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// crowd is many receivers in one process, which count and do nothing else. A line of standard input, "now", is answered with
// "now", how many samples came so far and how many receivers have had one.
type crowd struct {
	size  int
	more  []string // arguments
	all   atomic.Int64
	heard []atomic.Bool
}

// startCrowd reads arguments: address, size, more.
func startCrowd(args []string, run func(addr string, c *crowd) error) error {
	if len(args) < 2 {
		return errors.New("a crowd needs an address and its size")
	}
	size, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	return run(args[0], &crowd{size: size, more: args[2:], heard: make([]atomic.Bool, size)})
}

func (c *crowd) got(receiver, samples int) {
	c.all.Add(int64(samples))
	if !c.heard[receiver].Load() {
		c.heard[receiver].Store(true)
	}
}

func (c *crowd) answer() error {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		present := 0
		for i := range c.heard {
			if c.heard[i].Load() {
				present++
			}
		}
		fmt.Println(lines.Text(), c.all.Load(), present)
	}
	return nil
}

// telepathCrowd watches one device over the relay; more arguments are the token's file and the rung. What comes on other rungs
// is not counted.
func telepathCrowd(url string, c *crowd) error {
	token, err := os.ReadFile(c.more[0])
	if err != nil {
		return err
	}
	rung, known := ladder.ParseRung(c.more[1])
	if !known {
		return fmt.Errorf("no rung %q", c.more[1])
	}
	for i := range c.size {
		conn, err := peer.Dial(peer.ViewConfig{
			Endpoint: peer.Endpoint{URL: url, Token: strings.TrimSpace(string(token)), Proxy: peer.ProxyNone, Only: []ladder.Rung{ladder.WS, rung}},
			Device:   "board", NoDirect: true,
			Events: peer.Events{Batch: func(r peer.Received) {
				if !r.Retained && r.Rung == rung {
					c.got(i, r.Take)
				}
			}},
		})
		if err != nil {
			return err
		}
		go func() {
			if err := conn.Run(context.Background()); err != nil {
				fmt.Fprintln(os.Stderr, "viewer", i, "ended:", err)
			}
		}()
	}
	return c.answer()
}
