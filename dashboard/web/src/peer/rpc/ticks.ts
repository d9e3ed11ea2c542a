import type { Tick } from "../wire";
import type { Deadline } from "./message";

/** Earlier runs of a device's program that are remembered: a tick of one that comes late is none. */
const MAX_RUNS = 8;

/** Ticks keep the newest tick of a device and make deadlines of it (section 10.1). Times are ms of a monotonic clock. */
export class Ticks {
	private tick: Tick | null = null;
	private came = 0;
	private readonly over: number[] = []; // epochs of earlier runs

	/** heard takes a tick; true: it is the first of another run than the one before. */
	heard(now: number, tick: Tick): boolean {
		const before = this.tick;
		if (this.isOver(tick.epoch)) return false;
		if (before !== null && before.epoch === tick.epoch && tick.at <= before.at) return false; // over the slower path
		const anew = before !== null && before.epoch !== tick.epoch;
		if (anew) {
			this.over.push(before.epoch);
			if (this.over.length > MAX_RUNS) this.over.shift();
		}
		this.tick = tick;
		this.came = now;
		return anew;
	}

	/** isOver says whether a run is known to have ended. */
	isOver(epoch: number): boolean {
		return this.over.includes(epoch);
	}

	/** newest is the tick itself; null: none came. */
	get newest(): Tick | null {
		return this.tick;
	}

	/** age is how long ago it came; Infinity: none did. */
	age(now: number): number {
		return this.tick === null ? Infinity : now - this.came;
	}

	/** by is the deadline of what may wait for so long from now; null: no tick came. */
	by(now: number, wait: number): Deadline | null {
		if (this.tick === null) return null;
		return { epoch: this.tick.epoch, by: this.tick.at + Math.round((now - this.came + wait) * 1000) };
	}
}
