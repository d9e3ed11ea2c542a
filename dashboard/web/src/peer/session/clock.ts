/** How long a sample counts, in ms. */
const CLOCK_WINDOW = 60_000;
/** By how much a sample's error grows in a second, in µs: what two cheap quartzes run apart. */
const CLOCK_DRIFT = 50;
/**
 * Bound of the samples kept. Only those are kept that may become the best,
 * which are few unless every round trip is longer than the one before.
 */
const MAX_CLOCK_SAMPLES = 64;
/** How often doubt is news, in ms: each time it costs a probe. */
const DOUBT_EVERY = 1_000;

interface ClockSample {
	at: number; // ms
	rtt: number; // µs
	offset: number; // µs
}

/** Offset is the other clock minus ours, and the bound of its error, both in µs. */
export interface Offset {
	offset: number;
	error: number;
}

/**
 * Clock estimates by how much the other end's clock is ahead of ours, from the
 * times in probes and echoes (section 3.5). Of the last minute's samples the one
 * with the shortest round trip counts. When the clocks disagree with it by more
 * than errors explain, one of them was set, and the past is forgotten.
 */
export class Clock {
	private samples: ClockSample[] = []; // in order of time; each has a longer round trip than the one before
	private sent = Number.NEGATIVE_INFINITY; // when the newest probe went of those whose echoes came
	private doubtedAt = Number.NEGATIVE_INFINITY;
	private isDoubtful = false;

	/**
	 * sample takes the times of a probe, in µs since the Unix epoch: sent (t1, our
	 * clock), received and answered (t2, t3, the other's), and its echo's arrival
	 * (t4, ours). now is the same moment as t4, in ms. Times that cannot be are
	 * ignored.
	 */
	sample(now: number, t1: number, t2: number, t3: number, t4: number): void {
		const rtt = t4 - t1 - (t3 - t2);
		if (!(t4 >= t1 && t3 >= t2 && rtt >= 0)) return;
		const s = { at: now, rtt, offset: Math.trunc((t2 - t1 + (t3 - t4)) / 2) };
		const sent = now - (t4 - t1) / 1000;
		this.expire(now);
		if (this.contradicts(s)) {
			if (sent < this.sent) return; // it came by a longer way, and tells how it was
			this.samples = [];
		}
		this.sent = Math.max(this.sent, sent);
		this.isDoubtful &&= sent < this.doubtedAt;
		while ((this.samples.at(-1)?.rtt ?? -1) >= rtt) this.samples.pop();
		if (this.samples.length < MAX_CLOCK_SAMPLES) this.samples.push(s);
	}

	/** offset is the estimate; null: nothing is known. */
	offset(now: number): Offset | null {
		this.expire(now);
		const [best] = this.samples;
		return best === undefined ? null : { offset: best.offset, error: errorOf(best, now) };
	}

	/**
	 * doubt notes that the other clock seems to have been set since it was
	 * measured last. It says whether it is to be measured at once.
	 */
	doubt(now: number): boolean {
		if (now < this.doubtedAt + DOUBT_EVERY) return false;
		this.isDoubtful = true;
		this.doubtedAt = now;
		return true;
	}

	/** doubtful says whether no probe that went since the last doubt has been answered. */
	get doubtful(): boolean {
		return this.isDoubtful;
	}

	private contradicts(s: ClockSample): boolean {
		const [best] = this.samples;
		return best !== undefined && Math.abs(best.offset - s.offset) > errorOf(best, s.at) + errorOf(s, s.at);
	}

	private expire(now: number): void {
		this.samples = this.samples.filter((s) => now - s.at <= CLOCK_WINDOW);
	}
}

/** errorOf is the bound of a sample's error, in µs. */
function errorOf(s: ClockSample, now: number): number {
	return Math.floor((s.rtt + 1) / 2) + Math.floor(((now - s.at) * CLOCK_DRIFT) / 1000);
}
