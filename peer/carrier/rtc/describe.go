package rtc

import (
	"context"
	"fmt"
	"slices"
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
	text, err := p.describe(offer)
	return withoutIdle(text), err
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
	if p.cfg.server || p.cfg.RelayOnly { // they are told
		return p.describe(answer)
	}
	p.early.answers = true
	p.early.may.Store(true)
	text, err := p.describe(answer)
	return text + attrEarly, err
}

// SetAnswer takes the device's description.
func (p *Peer) SetAnswer(answer string) error {
	p.early.may.Store(saysEarly(answer))
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
	text := withoutSecondComponent(p.pc.LocalDescription().SDP)
	if p.cfg.listens() {
		text = withoutTCP(text)
		p.after(tcpDelay, p.local.release)
	}
	return text, nil
}

// withoutSecondComponent drops what pion writes for ends that know RTCP: half
// of its candidates, which nobody can use and an open signal's header has no
// room for.
func withoutSecondComponent(text string) string {
	return withoutLines(text, func(line string) bool {
		f := strings.Fields(line)
		return strings.HasPrefix(line, "a=candidate:") && len(f) > 1 && f[1] != "1"
	})
}

// idle are lines about media, of which there is none, and one that says what holds without it (RFC 8866, section 6.7).
var idle = []string{"a=msid-semantic:", "a=extmap-allow-mixed", "a=sendrecv"}

// withoutIdle drops what no other end reads, the extensions of candidates among it (checkCandidate): an offer rides in the request for
// a link, which is to fit into one segment. Where it has two, one in five is delayed at 10 % loss by a repeat of TCP's.
func withoutIdle(text string) string {
	text = withoutLines(text, func(line string) bool {
		return slices.ContainsFunc(idle, func(start string) bool { return strings.HasPrefix(line, start) })
	})
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "a=candidate:") {
			if short, _, has := strings.Cut(line, " ufrag "); has { // the last extension that pion writes
				line = short + "\r\n"
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

// withoutTCP drops what is told later, and that there is no more to come.
func withoutTCP(text string) string {
	return withoutLines(text, func(line string) bool {
		return strings.HasPrefix(line, "a=candidate:") && isTCP(line) || strings.HasPrefix(line, "a=end-of-candidates")
	})
}

func withoutLines(text string, drop func(line string) bool) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !drop(line) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// isTCP reports whether a candidate is over TCP.
func isTCP(candidate string) bool {
	f := strings.Fields(candidate)
	return len(f) > 2 && strings.EqualFold(f[2], "tcp")
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
	if p.cfg.server && p.cfg.DialTCP && !p.cfg.NoUDP {
		candidates = p.laterTCP(candidates)
	}
	if kind == webrtc.SDPTypeAnswer && p.early.may.Load() {
		p.after(answersFirst, func() { p.addCandidates(candidates) })
		return nil
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
		if isTCP(c.text) {
			later = append(later, c)
		} else {
			now = append(now, c)
		}
	}
	p.after(tcpDelay, func() { p.addCandidates(later) })
	return now
}

// after calls do after d, unless the connection ends before.
func (p *Peer) after(d time.Duration, do func()) {
	timer := time.AfterFunc(d, do)
	context.AfterFunc(p.life.Ending(), func() { timer.Stop() })
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
