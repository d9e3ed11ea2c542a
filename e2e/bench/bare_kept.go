package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// What bare ends do for their connections is what a careful user of the library does.
const (
	keepAlive = 5 * time.Second        // what is not heard of for so long has ended
	dialTime  = 2 * time.Second        // for a connection to be there
	redial    = 100 * time.Millisecond // between one that failed and the next one
)

// dialing makes a connection, within dialTime or a time of its own.
type dialing func(ctx context.Context) (*sending, error)

// sending is a connection to write samples to. One that cannot be written to is ended, and another one is made.
type sending struct {
	write func(payload []byte) error
	end   func()
}

// sendKept is send over a connection that is made again for ever. A sample that is made while there is none is lost.
func sendKept(dial dialing) error { return workload.sendKept(dial) }

func (l load) sendKept(dial dialing) error {
	dialled := make(chan *sending, 1)
	go dialUntil(dial, dialled)
	var now *sending
	return l.send(func(payload []byte) error {
		select {
		case now = <-dialled:
		default:
		}
		if now == nil {
			return nil
		}
		if err := now.write(payload); err != nil {
			fmt.Fprintln(os.Stderr, "lost the connection:", err)
			now.end()
			now = nil
			go dialUntil(dial, dialled)
		}
		return nil
	})
}

func dialUntil(dial dialing, dialled chan<- *sending) {
	for ; ; time.Sleep(redial) {
		s, err := dial(context.Background())
		if err == nil {
			dialled <- s
			return
		}
		fmt.Fprintln(os.Stderr, "no connection:", err)
	}
}
