package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/telepath-iot/telepath/e2e/program"
)

// The two kinds of bare channels, both negotiated.
const (
	pionLive     = "live"     // has what the product's Live channel has: unordered, a lifetime
	pionReliable = "reliable" // as a channel is if nothing is asked for
)

func newPion(kind string) (*webrtc.PeerConnection, *webrtc.DataChannel, error) {
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, nil, err
	}
	negotiated, ordered, id, lifetime := true, false, uint16(1), uint16(liveDeadline/time.Millisecond)
	init := &webrtc.DataChannelInit{Negotiated: &negotiated, ID: &id}
	if kind == pionLive {
		init.Ordered, init.MaxPacketLifeTime = &ordered, &lifetime
	}
	channel, err := pc.CreateDataChannel("bare", init)
	return pc, channel, err
}

// The two ends exchange their descriptions, all candidates inside, as lines "sdp BASE64".
func printDescription(pc *webrtc.PeerConnection, d webrtc.SessionDescription) error {
	local, err := gathered(pc, d)
	if err != nil {
		return err
	}
	text, err := json.Marshal(local)
	fmt.Println("sdp", base64.StdEncoding.EncodeToString(text))
	return err
}

func readDescription() (d webrtc.SessionDescription, err error) {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() {
		return d, errors.New("no description came")
	}
	text, err := base64.StdEncoding.DecodeString(lines.Text())
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	return d, err
}

func pionSender() error {
	pc, channel, err := newPion(pionLive)
	if err != nil {
		return err
	}
	if err := offerPion(pc, channel); err != nil {
		return err
	}
	return send(channel.Send)
}

func pionReceiver() error {
	pc, channel, err := newPion(pionLive)
	if err != nil {
		return err
	}
	out := newOutput()
	channel.OnMessage(func(m webrtc.DataChannelMessage) { _ = say(out, m.Data) })
	return answerPion(pc)
}

// offerPion returns when the channel is open at the end that offers.
func offerPion(pc *webrtc.PeerConnection, channel *webrtc.DataChannel) error {
	opened := make(chan struct{})
	channel.OnOpen(func() { close(opened) })
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	if err := printDescription(pc, offer); err != nil {
		return err
	}
	answer, err := readDescription()
	if err != nil {
		return err
	}
	if err := pc.SetRemoteDescription(answer); err != nil {
		return err
	}
	<-opened
	return nil
}

// answerPion answers, and returns only with an error.
func answerPion(pc *webrtc.PeerConnection) error {
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
	if err := printDescription(pc, answer); err != nil {
		return err
	}
	select {}
}

func agesOfPion(start starter, length time.Duration) ([]float64, error) {
	var c collector
	sender, err := start(nil, "pion-sender")
	if err != nil {
		return nil, err
	}
	defer sender.Kill()
	receiver, err := start(c.line, "pion-receiver")
	if err != nil {
		return nil, err
	}
	defer receiver.Kill()
	if err := errors.Join(carry(sender, receiver), carry(receiver, sender)); err != nil {
		return nil, err
	}
	return c.collect(length), nil
}

var description = regexp.MustCompile(`^sdp (\S+)`)

func carry(from, to *program.Program) error {
	found, err := from.WaitFor(description, 10*time.Second)
	if err != nil {
		return err
	}
	return to.Write(found[1])
}
