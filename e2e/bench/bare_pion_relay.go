package main

import (
	"errors"
	"time"

	"github.com/pion/webrtc/v4"
)

// pionRelay copies every message of a sender to a receiver, over a data channel to each.
func pionRelay() error {
	in, from, err := newPion()
	if err != nil {
		return err
	}
	out, to, err := newPion()
	if err != nil {
		return err
	}
	opened := make(chan struct{})
	to.OnOpen(func() { close(opened) })
	from.OnMessage(func(m webrtc.DataChannelMessage) {
		select {
		case <-opened:
			_ = to.Send(m.Data) // one receiver, always there
		default:
		}
	})
	if err := answerSender(in); err != nil {
		return err
	}
	offer, err := out.CreateOffer(nil)
	if err != nil {
		return err
	}
	if err := printTagged("sdp2", out, offer); err != nil {
		return err
	}
	answer, err := readDescription()
	if err != nil {
		return err
	}
	if err := out.SetRemoteDescription(answer); err != nil {
		return err
	}
	select {}
}

func answerSender(pc *webrtc.PeerConnection) error {
	offer, err := readDescription()
	if err != nil {
		return err
	}
	if err := pc.SetRemoteDescription(offer); err != nil {
		return err
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	return printDescription(pc, answer)
}

func agesOfPionRelay(start starter, length time.Duration) ([]float64, error) {
	var c collector
	sender, err := start(nil, "pion-sender")
	if err != nil {
		return nil, err
	}
	defer sender.Kill()
	relay, err := start(nil, "pion-relay")
	if err != nil {
		return nil, err
	}
	defer relay.Kill()
	receiver, err := start(c.line, "pion-receiver")
	if err != nil {
		return nil, err
	}
	defer receiver.Kill()
	if err := errors.Join(carry(sender, relay), carry(relay, sender)); err != nil {
		return nil, err
	}
	if err := errors.Join(carryTagged(description2, relay, receiver), carry(receiver, relay)); err != nil {
		return nil, err
	}
	return c.collect(length), nil
}
