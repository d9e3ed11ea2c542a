package ladder

import "time"

// carrier is what the ladder knows of one path.
type carrier struct {
	// Set once, by Up.
	id   int
	born int
	rung Rung

	// What came from the other end.
	everHeard bool
	lastHeard time.Duration // Up's time until something was heard
	usable    bool          // proved both ways, and not dead since
	late      bool          // in use, and half of the wait for an answer is over; sticky until Heard
	silent    bool          // nothing heard for the doubt time; sticky until Heard
	unheard   bool          // the other end said heard = 0; sticky until Proved
	trouble   time.Duration // since when it is not sound
	sound     time.Duration // since when it is sound
	rtt       estimate

	// What we did.
	inUse      bool
	taken      time.Duration // when it was chosen
	expectFrom time.Duration // silence before this moment counts for nothing
	lastProbe  time.Duration
	sinceHeard int // probes sent since something was heard
	sinceProof int // probes sent since the last proof both ways
}

func (c *carrier) isSound() bool { return c.usable && !c.silent && !c.unheard }

// change runs f, which may change what makes a carrier sound, and notes the
// time if it became so, or ceased to be.
func (c *carrier) change(now time.Duration, f func()) {
	before := c.isSound()
	f()
	switch after := c.isSound(); {
	case after && !before:
		c.sound = now
	case before && !after:
		c.trouble = now
	}
}

// heard ends silence. It does not raise the dead: that takes a proof both ways.
func (c *carrier) heard(now time.Duration) {
	if c.usable {
		c.change(now, func() { c.silent = false })
	}
	c.everHeard, c.lastHeard, c.late = true, now, false
	c.sinceHeard = 0
}

func (c *carrier) proved(now, rtt time.Duration) {
	c.change(now, func() { c.usable, c.silent, c.unheard = true, false, false })
	c.heard(now)
	c.sinceProof = 0
	c.rtt.add(now, rtt, c.sound)
}

// doubted notes that the other end hears nothing from us here. Only an echo
// can refute it, so a probe is due at once.
func (c *carrier) doubted(now time.Duration) {
	if c.unheard {
		return
	}
	c.change(now, func() { c.unheard = true })
	c.sinceProof = 0
}

// probed notes that a probe was sent.
func (c *carrier) probed(now time.Duration) {
	c.lastProbe = now
	c.sinceHeard++
	c.sinceProof++
}

// setUse notes whether it is used. Its pace changes with that, and a silence
// that was fine at the old pace is no reason for doubt at the new one.
func (c *carrier) setUse(now time.Duration, on bool) {
	if c.inUse != on {
		c.inUse, c.expectFrom, c.late = on, now, false
	}
}

// watched starts the silence anew, after a time in which nobody watched.
func (c *carrier) watched(now time.Duration) {
	c.expectFrom, c.trouble, c.late = now, now, false
	c.sinceHeard, c.sinceProof = 0, 0
}

// quiet is the silence after which it is probed.
func (c *carrier) quiet(cfg Config) time.Duration {
	if c.inUse {
		return cfg.Quiet
	}
	return cfg.SpareProbe
}

// doubtAt is the moment at which silence becomes doubt.
func (c *carrier) doubtAt(cfg Config) time.Duration {
	at := c.missedFrom(cfg) + c.rtt.patience(cfg)
	if !c.inUse { // an answer to the second probe counts as much as where that follows sooner
		at += c.again(cfg) - cfg.SecondProbe
	}
	return at
}

// again is the time from a first probe into silence to the second.
func (c *carrier) again(cfg Config) time.Duration { return c.rtt.again(cfg, c.inUse) }

// lateAt is the moment at which half of the wait for an answer is over.
func (c *carrier) lateAt(cfg Config) time.Duration {
	return c.missedFrom(cfg) + c.rtt.patience(cfg)/2
}

// missedFrom is the moment from which an answer is waited for.
func (c *carrier) missedFrom(cfg Config) time.Duration {
	return max(c.lastHeard, c.expectFrom) + c.quiet(cfg)
}

// mayBeLate reports whether lateness is still to come, if nothing does.
func (c *carrier) mayBeLate() bool { return c.usable && c.inUse && !c.late }

// probeAt is the moment at which the next probe is due.
func (c *carrier) probeAt(now time.Duration, cfg Config) time.Duration {
	if !c.usable || c.unheard {
		return c.askAt(now, cfg)
	}
	at := c.lastHeard + c.quiet(cfg)
	if c.sinceHeard > 0 {
		at = c.repeatAt(c.sinceHeard, c.quiet(cfg), cfg)
	}
	if c.inUse {
		at = min(at, c.measureAt(cfg))
	}
	return at
}

// askAt is when to ask next for a proof both ways, which frames that merely
// come in are not: eagerly at first, at a spare's pace when it seems in vain.
func (c *carrier) askAt(now time.Duration, cfg Config) time.Duration {
	pace := cfg.Quiet
	if !c.inUse && now-c.trouble >= cfg.ReplaceAfter {
		pace = cfg.SpareProbe
	}
	return c.repeatAt(c.sinceProof, pace, cfg)
}

func (c *carrier) repeatAt(sent int, pace time.Duration, cfg Config) time.Duration {
	switch sent {
	case 0:
		return c.expectFrom
	case 1:
		return c.lastProbe + c.again(cfg)
	default:
		return c.lastProbe + pace
	}
}

// measureAt keeps round trip and clock offset fresh on a carrier that is
// heard all the time and therefore never needs a probe as proof.
func (c *carrier) measureAt(cfg Config) time.Duration {
	if !c.rtt.known && c.sinceProof == 0 {
		return c.expectFrom
	}
	if c.rtt.unconfirmed(cfg) {
		return max(c.lastProbe+c.rtt.rtt, c.expectFrom)
	}
	every := cfg.Measure
	if c.rtt.unsettled() {
		every = cfg.Quiet
	}
	return max(c.lastProbe, c.expectFrom) + every
}
