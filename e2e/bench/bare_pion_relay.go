package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// pionRelay copies every message of a sender to all receivers, over a data channel to each. Who posts an offer to /send or
// /receive is answered.
func pionRelay() error {
	var mu sync.Mutex
	var receivers []*webrtc.DataChannel
	mux := http.NewServeMux()
	mux.HandleFunc("POST /receive", answering(func(channel *webrtc.DataChannel) {
		channel.OnOpen(func() {
			mu.Lock()
			receivers = append(receivers, channel)
			mu.Unlock()
		})
	}))
	mux.HandleFunc("POST /send", answering(func(channel *webrtc.DataChannel) {
		channel.OnMessage(func(m webrtc.DataChannelMessage) {
			mu.Lock()
			for _, to := range receivers {
				_ = to.Send(m.Data) // all are always there
			}
			mu.Unlock()
		})
	}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("listening on", listener.Addr())
	return http.Serve(listener, mux)
}

// answering accepts a connection and hands its channel over.
func answering(use func(*webrtc.DataChannel)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		pc, channel, err := newPion()
		if err == nil {
			use(channel)
			err = answer(pc, w, r)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}
}

func answer(pc *webrtc.PeerConnection, w http.ResponseWriter, r *http.Request) error {
	var offer webrtc.SessionDescription
	if err := json.NewDecoder(r.Body).Decode(&offer); err != nil {
		return err
	}
	if err := pc.SetRemoteDescription(offer); err != nil {
		return err
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	local, err := gathered(pc, answer)
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(local)
}

// gathered sets a description and waits for all its candidates.
func gathered(pc *webrtc.PeerConnection, d webrtc.SessionDescription) (*webrtc.SessionDescription, error) {
	all := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(d); err != nil {
		return nil, err
	}
	<-all
	return pc.LocalDescription(), nil
}

// joinPionRelay connects to a relay as a sender ("send") or a receiver ("receive"). prepare, if not nil, has the channel before it opens.
func joinPionRelay(addr, as string, prepare func(*webrtc.DataChannel)) (*webrtc.DataChannel, error) {
	pc, channel, err := newPion()
	if err != nil {
		return nil, err
	}
	if prepare != nil {
		prepare(channel)
	}
	opened := make(chan struct{})
	channel.OnOpen(func() { close(opened) })
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return nil, err
	}
	local, err := gathered(pc, offer)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(local)
	if err != nil {
		return nil, err
	}
	answer, err := http.Post("http://"+addr+"/"+as, "application/json", bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var remote webrtc.SessionDescription
	if err := json.NewDecoder(answer.Body).Decode(&remote); err != nil {
		return nil, fmt.Errorf("the relay answers %s: %w", answer.Status, err)
	}
	if err := pc.SetRemoteDescription(remote); err != nil {
		return nil, err
	}
	<-opened
	return channel, nil
}

func pionRelaySender(addr string) error {
	channel, err := joinPionRelay(addr, "send", nil)
	if err != nil {
		return err
	}
	return send(channel.Send)
}

func pionRelayReceiver(addr string) error {
	out := newOutput()
	_, err := joinPionRelay(addr, "receive", func(channel *webrtc.DataChannel) {
		channel.OnMessage(func(m webrtc.DataChannelMessage) { _ = say(out, m.Data) })
	})
	if err != nil {
		return err
	}
	select {}
}

// pionCrowd is many receivers in one process.
func pionCrowd(addr string, c *crowd) error {
	for i := range c.size {
		_, err := joinPionRelay(addr, "receive", func(channel *webrtc.DataChannel) {
			channel.OnMessage(func(webrtc.DataChannelMessage) { c.got(i, 1) })
		})
		if err != nil {
			return err
		}
	}
	return c.answer()
}

func agesOfRelay(start starter, kind string, length time.Duration) ([]float64, error) {
	relay, addr, err := startRelay(start, kind)
	if err != nil {
		return nil, err
	}
	defer relay.Kill()
	var c collector
	receiver, err := start(c.line, kind+"-relay-receiver", addr)
	if err != nil {
		return nil, err
	}
	defer receiver.Kill()
	sender, err := start(nil, kind+"-relay-sender", addr)
	if err != nil {
		return nil, err
	}
	defer sender.Kill()
	return c.collect(length), nil
}
