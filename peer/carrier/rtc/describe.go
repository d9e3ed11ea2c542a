package rtc

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
	"github.com/telepath-iot/telepath/peer/wire"
)

// gatherTime is how long a description waits for the addresses of this
// machine, which take a few milliseconds, so that it seldom needs candidates
// sent behind it. What servers say takes longer and follows.
const gatherTime = 20 * time.Millisecond

// Offer makes the viewer's description.
func (p *Peer) Offer() (string, error) {
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		return "", fmt.Errorf("make an offer: %w", err)
	}
	return p.describe(offer)
}

// Answer takes a viewer's offer and makes the device's description.
func (p *Peer) Answer(offer string) (string, error) {
	if err := p.setRemote(webrtc.SDPTypeOffer, offer); err != nil {
		return "", fmt.Errorf("take an offer: %w", err)
	}
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return "", fmt.Errorf("make an answer: %w", err)
	}
	return p.describe(answer)
}

// SetAnswer takes the device's description.
func (p *Peer) SetAnswer(answer string) error {
	if err := p.setRemote(webrtc.SDPTypeAnswer, answer); err != nil {
		return fmt.Errorf("take an answer: %w", err)
	}
	return nil
}

// describe makes d ours and adds the candidates that come at once.
func (p *Peer) describe(d webrtc.SessionDescription) (string, error) {
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(d); err != nil {
		return "", fmt.Errorf("begin to gather addresses: %w", err)
	}
	timer := time.NewTimer(gatherTime)
	defer timer.Stop()
	select {
	case <-gathered:
	case <-timer.C:
	}
	p.local.described()
	return withoutSecondComponent(p.pc.LocalDescription().SDP), nil
}

// withoutSecondComponent drops what pion writes for ends that know RTCP: half
// of its candidates, which nobody can use and an open signal's header has no
// room for.
func withoutSecondComponent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); !strings.HasPrefix(line, "a=candidate:") || len(f) < 2 || f[1] == "1" {
			b.WriteString(line)
		}
	}
	return b.String()
}

// setRemote checks a description from the other end, gives it to pion without
// its candidates, and then those of them that pass, as if they came alone.
func (p *Peer) setRemote(kind webrtc.SDPType, text string) error {
	text, candidates, err := checkSDP(text)
	if err != nil {
		return err
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: kind, SDP: text}); err != nil {
		return err
	}
	if p.cfg.server && kind == webrtc.SDPTypeOffer {
		return nil // whoever knows our password is found by it
	}
	candidates = append(candidates, p.remote.described()...)
	if p.cfg.server && p.cfg.tcp && !p.cfg.noUDP {
		candidates = p.laterTCP(candidates)
	}
	p.addCandidates(candidates)
	return nil
}

func (p *Peer) addCandidates(candidates []candidate) {
	for _, c := range candidates {
		if err := p.addCandidate(c.text, c.mid); err != nil {
			p.log.Debug("a candidate of the other end is not used", "reason", err)
		}
	}
}

// tcpDelay is how long UDP is tried alone. ICE takes the first pair that
// answers: a lost packet must not decide for TCP.
const tcpDelay = 700 * time.Millisecond

// laterTCP returns the candidates that are tried at once; TCP's follow.
func (p *Peer) laterTCP(candidates []candidate) (now []candidate) {
	var later []candidate
	for _, c := range candidates {
		if f := strings.Fields(c.text); len(f) > 2 && strings.EqualFold(f[2], "tcp") {
			later = append(later, c)
		} else {
			now = append(now, c)
		}
	}
	timer := time.AfterFunc(tcpDelay, func() { p.addCandidates(later) })
	context.AfterFunc(p.life.Ending(), func() { timer.Stop() })
	return now
}

// checkSDP takes a description apart (protocol section 3.6): bounded, well
// formed, with one application section and nothing else. It returns it
// without its candidates, and these.
func checkSDP(text string) (rest string, candidates []candidate, err error) {
	if len(text) > wire.MaxSDP {
		return "", nil, fmt.Errorf("the description has %d bytes, more than %d", len(text), wire.MaxSDP)
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return "", nil, fmt.Errorf("the description is malformed: %w", err)
	}
	if len(d.MediaDescriptions) != 1 || d.MediaDescriptions[0].MediaName.Media != "application" {
		return "", nil, fmt.Errorf("the description has %d sections, not one for data channels alone", len(d.MediaDescriptions))
	}
	rest, candidates = splitCandidates(text)
	return rest, candidates, nil
}

// splitCandidates separates the candidate attributes from a description,
// whose length bounds their number.
func splitCandidates(text string) (rest string, candidates []candidate) {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if c, is := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "a=candidate:"); is {
			candidates = append(candidates, candidate{text: c})
		} else {
			b.WriteString(line)
		}
	}
	return b.String(), candidates
}
