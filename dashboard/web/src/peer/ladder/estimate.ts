import { ANSWER_SLACK, type Config, KEPT_ROUNDS, MAX_SPREAD, UNMEASURED_PATIENCE } from "./config";

/**
 * Estimate is what round trips say of a way: they are smoothed as RFC 6298,
 * section 2, does, and the smallest of the latest is kept.
 */
export class Estimate {
	known = false;
	rtt = 0;
	variation = 0;
	private readonly latest: number[] = []; // newest first
	low = 0; // the smallest of them
	private began = 0; // when the first answer of the newest came
	private held = false; // the newest answer measured an outage

	/**
	 * add takes a round trip that was measured now, on a way that is sound since
	 * the time given. One that is not positive is none: the caller has a proof
	 * without a measurement.
	 */
	add(now: number, rtt: number, sound: number): void {
		if (!(rtt > 0)) return;
		const sent = now - rtt;
		const settled = this.settled();
		this.keep(now, sent, rtt);
		// SCTP keeps what an outage holds up, and sends it behind it. Such an answer
		// says how long the outage was; unless all of late took as long.
		this.held = this.known && sent < sound && rtt > 2 * this.low;
		if (this.held) return;
		// What makes a way, and loses some of it, holds up the first answers, too:
		// of the first rounds the smallest one is where smoothing begins.
		if (this.known && (settled || rtt >= this.rtt)) {
			this.variation += (Math.abs(this.rtt - rtt) - this.variation) / 4;
			this.rtt += (rtt - this.rtt) / 8;
			return;
		}
		this.known = true;
		this.rtt = rtt;
		this.variation = rtt / 2;
	}

	/**
	 * patience is how long an answer may take before it is missed. It follows the
	 * smallest of the latest round trips: behind an outage most take long, while
	 * SCTP recovers, and must not hide the next outage.
	 */
	patience(cfg: Config): number {
		if (!this.known) return Math.max(cfg.doubtFloor, UNMEASURED_PATIENCE);
		const spread = Math.min(4 * this.variation, 2 * this.low + MAX_SPREAD);
		return Math.max(cfg.doubtFloor, 1.5 * this.low + spread);
	}

	/**
	 * again is how long a first probe waits for its answer before there is a second one: on a long way for longer than answers
	 * take, as far as that of the second can be there before doubt. A spare has the time, since nothing is sent on it.
	 */
	again(cfg: Config, inUse: boolean): number {
		if (!this.known) return cfg.secondProbe;
		const after = 1.25 * this.low + ANSWER_SLACK;
		return Math.max(cfg.secondProbe, inUse ? Math.min(after, this.patience(cfg) - this.low) : after);
	}

	/** unconfirmed: few round trips were measured, and they were long. */
	unconfirmed(cfg: Config): boolean {
		return this.known && !this.settled() && this.rtt > cfg.secondProbe;
	}

	/** unsettled: the round trips differed much lately, as behind an outage. More of them are wanted soon. */
	unsettled(): boolean {
		return this.known && (this.held || this.variation > this.rtt / 2);
	}

	/** settled: so many rounds were measured that one of them was not held up. */
	private settled(): boolean {
		return this.latest.length === KEPT_ROUNDS;
	}

	/**
	 * keep enters a round trip among the latest. Those that were under way
	 * together are one, the smallest: what came of them all at once was held up.
	 */
	private keep(now: number, sent: number, rtt: number): void {
		const [newest] = this.latest;
		if (newest === undefined || sent >= this.began) {
			if (this.latest.unshift(rtt) > KEPT_ROUNDS) this.latest.pop();
			this.began = now;
		} else this.latest[0] = Math.min(newest, rtt);
		this.low = Math.min(...this.latest);
	}
}
