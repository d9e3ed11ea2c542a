package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"
)

// callTime is for a data channel to be there: some ten round trips, and what is lost on the way.
const callTime = 10 * time.Second

// callPion opens a channel to one who is called, without a relay between them. It is lost when ICE says that it has failed.
func callPion(addr, kind string) dialing {
	return func(ctx context.Context) (*sending, error) {
		ctx, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		pc, channel, err := newPion(kind)
		if err != nil {
			return nil, err
		}
		var failed atomic.Bool
		pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
			if s == webrtc.PeerConnectionStateFailed {
				failed.Store(true)
			}
		})
		if err := call(ctx, "http://"+addr+"/", pc, channel); err != nil {
			return nil, errors.Join(err, pc.Close())
		}
		return &sending{write: func(payload []byte) error {
			if failed.Load() {
				return errors.New("ICE has failed")
			}
			return channel.Send(payload)
		}, end: func() { _ = pc.Close() }}, nil
	}
}

// pionCalled answers offers, and prints what comes on their channels.
func pionCalled(addr, kind string) error {
	return serve(addr, answering(kind, func(channel *webrtc.DataChannel) {
		out := newOutput()
		channel.OnMessage(func(m webrtc.DataChannelMessage) { _ = say(out, m.Data) })
	}))
}
