package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/telepath-iot/telepath/e2e/program"
)

// socketRelay copies every message of /send to all who are connected to /receive.
func socketRelay() error {
	var mu sync.Mutex
	var receivers []*websocket.Conn
	mux := http.NewServeMux()
	mux.HandleFunc("/receive", func(w http.ResponseWriter, r *http.Request) {
		if conn, err := accept(w, r); err == nil {
			mu.Lock()
			receivers = append(receivers, conn)
			mu.Unlock()
			<-conn.CloseRead(context.Background()).Done()
		}
	})
	mux.HandleFunc("/send", func(w http.ResponseWriter, r *http.Request) {
		conn, err := accept(w, r)
		if err != nil {
			return
		}
		for {
			_, message, err := conn.Read(context.Background())
			if err != nil {
				return
			}
			mu.Lock()
			for _, to := range receivers {
				_ = to.Write(context.Background(), websocket.MessageBinary, message) // all are always there
			}
			mu.Unlock()
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("listening on", listener.Addr())
	return http.Serve(listener, mux)
}

func accept(w http.ResponseWriter, r *http.Request) (*websocket.Conn, error) {
	return websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
}

func socketSender(addr string) error {
	conn, _, err := websocket.Dial(context.Background(), "ws://"+addr+"/send", nil)
	if err != nil {
		return err
	}
	return send(func(payload []byte) error { return conn.Write(context.Background(), websocket.MessageBinary, payload) })
}

func socketReceiver(addr string) error {
	conn, _, err := websocket.Dial(context.Background(), "ws://"+addr+"/receive", nil)
	if err != nil {
		return err
	}
	for out := newOutput(); ; {
		_, message, err := conn.Read(context.Background())
		if err != nil {
			return err
		}
		if err := say(out, message); err != nil {
			return err
		}
	}
}

// socketCrowd is many receivers in one process.
func socketCrowd(addr string, c *crowd) error {
	for i := range c.size {
		conn, _, err := websocket.Dial(context.Background(), "ws://"+addr+"/receive", nil)
		if err != nil {
			return err
		}
		go func() {
			for {
				if _, _, err := conn.Read(context.Background()); err != nil {
					return
				}
				c.got(i, 1)
			}
		}()
	}
	return c.answer()
}

var listening = regexp.MustCompile(`listening on (\S+)`)

// startRelay starts a bare relay and returns where it listens.
func startRelay(start starter, kind string) (relay *program.Program, addr string, err error) {
	if relay, err = start(nil, kind+"-relay"); err != nil {
		return nil, "", err
	}
	found, err := relay.WaitFor(listening, 10*time.Second)
	if err != nil {
		relay.Kill()
		return nil, "", err
	}
	return relay, found[1], nil
}
