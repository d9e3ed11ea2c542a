import type { Config } from "./config";
import { Estimate } from "./estimate";
import { height, type Rung } from "./rung";

/** Carrier is what the ladder knows of one path. */
export class Carrier {
	// What came from the other end.
	everHeard = false;
	lastHeard: number; // when it opened, until something was heard
	usable = false; // proved both ways, and not dead since
	late = false; // in use, and half of the wait for an answer is over; sticky until heard
	silent = false; // nothing heard for the doubt time; sticky until heard
	unheard = false; // the other end said heard = 0; sticky until proved
	trouble: number; // since when it is not sound
	sound = 0; // since when it is sound
	readonly rtt = new Estimate();

	// What we did.
	inUse = false;
	taken = 0; // when it was chosen
	private expectFrom: number; // silence before this moment counts for nothing
	private lastProbe = 0;
	private sinceHeard = 0; // probes sent since something was heard
	private sinceProof = 0; // probes sent since the last proof both ways

	constructor(
		now: number,
		readonly id: number,
		readonly born: number,
		public rung: Rung,
	) {
		this.lastHeard = this.trouble = this.expectFrom = now;
	}

	get height(): number {
		return height(this.rung);
	}

	isSound(): boolean {
		return this.usable && !this.silent && !this.unheard;
	}

	/** heard ends silence. It does not raise the dead: that takes a proof both ways. */
	heard(now: number): void {
		const before = this.isSound();
		if (this.usable) this.silent = false;
		this.changed(now, before);
		this.everHeard = true;
		this.lastHeard = now;
		this.late = false;
		this.sinceHeard = 0;
	}

	proved(now: number, rtt: number): void {
		const before = this.isSound();
		this.usable = true;
		this.silent = this.unheard = false;
		this.changed(now, before);
		this.heard(now);
		this.sinceProof = 0;
		this.rtt.add(now, rtt, this.sound);
	}

	/** missed notes that nothing was heard for the doubt time. */
	missed(now: number): void {
		const before = this.isSound();
		this.silent = true;
		this.changed(now, before);
	}

	/**
	 * doubted notes that the other end hears nothing from us here. Only an echo
	 * can refute it, so a probe is due at once.
	 */
	doubted(now: number): void {
		if (this.unheard) return;
		const before = this.isSound();
		this.unheard = true;
		this.changed(now, before);
		this.sinceProof = 0;
	}

	/** probed notes that a probe was sent. */
	probed(now: number): void {
		this.lastProbe = now;
		this.sinceHeard++;
		this.sinceProof++;
	}

	/**
	 * setUse notes whether it is used. Its pace changes with that, and a silence
	 * that was fine at the old pace is no reason for doubt at the new one.
	 */
	setUse(now: number, on: boolean): void {
		if (this.inUse === on) return;
		this.inUse = on;
		this.expectFrom = now;
		this.late = false;
	}

	/** watched forgets doubt and starts the silence anew, where watching began or ended. */
	watched(now: number): void {
		const before = this.isSound();
		this.silent = this.unheard = this.late = false;
		this.changed(now, before);
		this.expectFrom = this.trouble = now;
		this.sinceHeard = this.sinceProof = 0;
	}

	/** doubtAt is the moment at which silence becomes doubt. */
	doubtAt(cfg: Config): number {
		const at = this.missedFrom(cfg) + this.rtt.patience(cfg);
		return this.inUse ? at : at + this.again(cfg) - cfg.secondProbe; // an answer to the second probe counts as much as where that follows sooner
	}

	/** again is the time from a first probe into silence to the second. */
	again(cfg: Config): number {
		return this.rtt.again(cfg, this.inUse);
	}

	/** lateAt is the moment at which half of the wait for an answer is over. */
	lateAt(cfg: Config): number {
		return this.missedFrom(cfg) + this.rtt.patience(cfg) / 2;
	}

	/** mayBeLate reports whether lateness is still to come, if nothing does. */
	mayBeLate(): boolean {
		return this.usable && this.inUse && !this.late;
	}

	/** missedFrom is the moment from which an answer is waited for. */
	private missedFrom(cfg: Config): number {
		return Math.max(this.lastHeard, this.expectFrom) + this.quiet(cfg);
	}

	/** probeAt is the moment at which the next probe is due. */
	probeAt(now: number, cfg: Config): number {
		if (!this.usable || this.unheard) return this.askAt(now, cfg);
		const quiet = this.quiet(cfg);
		const at = this.sinceHeard > 0 ? this.repeatAt(this.sinceHeard, quiet, cfg) : this.lastHeard + quiet;
		return this.inUse ? Math.min(at, this.measureAt(cfg)) : at;
	}

	/** changed notes the time if it became sound, or ceased to be. */
	private changed(now: number, before: boolean): void {
		const after = this.isSound();
		if (after && !before) this.sound = now;
		if (before && !after) this.trouble = now;
	}

	/** quiet is the silence after which it is probed. */
	private quiet(cfg: Config): number {
		return this.inUse ? cfg.quiet : cfg.spareProbe;
	}

	/**
	 * askAt is when to ask next for a proof both ways, which frames that merely
	 * come in are not: eagerly at first, at a spare's pace when it seems in vain.
	 */
	private askAt(now: number, cfg: Config): number {
		const vain = !this.inUse && now >= this.trouble + cfg.replaceAfter;
		return this.repeatAt(this.sinceProof, vain ? cfg.spareProbe : cfg.quiet, cfg);
	}

	private repeatAt(sent: number, pace: number, cfg: Config): number {
		if (sent === 0) return this.expectFrom;
		return this.lastProbe + (sent === 1 ? this.again(cfg) : pace);
	}

	/**
	 * measureAt keeps round trip and clock offset fresh on a carrier that is
	 * heard all the time and therefore never needs a probe as proof.
	 */
	private measureAt(cfg: Config): number {
		if (!this.rtt.known && this.sinceProof === 0) return this.expectFrom;
		if (this.rtt.unconfirmed(cfg)) return Math.max(this.lastProbe + this.rtt.rtt, this.expectFrom);
		const every = this.rtt.unsettled() ? cfg.quiet : cfg.measure;
		return Math.max(this.lastProbe, this.expectFrom) + every;
	}
}
