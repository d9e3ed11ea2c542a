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
				_ = to.Write(context.Background(), websocket.MessageBinary, message) // one receiver, always there
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

var listening = regexp.MustCompile(`listening on (\S+)`)

func agesOfSockets(start starter, length time.Duration) ([]float64, error) {
	relay, err := start(nil, "relay")
	if err != nil {
		return nil, err
	}
	defer relay.Kill()
	addr, err := relay.WaitFor(listening, 10*time.Second)
	if err != nil {
		return nil, err
	}
	var c collector
	receiver, err := start(c.line, "socket-receiver", addr[1])
	if err != nil {
		return nil, err
	}
	defer receiver.Kill()
	sender, err := start(nil, "socket-sender", addr[1])
	if err != nil {
		return nil, err
	}
	defer sender.Kill()
	return c.collect(length), nil
}
