import type { Rung } from "../ladder";
import type { Echo, Probe } from "../wire";

/** Probes that may still be answered, per path: at one each 100 ms this is longer than any round trip worth waiting for. */
const PENDING = 64;

/**
 * Full probes are as long as a packet gets. Two are for the case that one is lost; where the way is so narrow that their answers
 * take long, more of them would fill it. In µs.
 */
const FIRST_FULLS = 2;
const FULL_EVERY = 1_000_000;

/** Links over TCP alone, which cuts what it carries to the size that passes: full probes show nothing there, and hold up the first samples behind them. */
const SEGMENTED: readonly Rung[] = ["ws", "sse", "poll"];

/** Prober numbers one path's probes and knows their echoes again. Times are µs on this end's clock. */
export class Prober {
	private id = 0;
	private readonly pending = new Map<number, { readonly at: number; readonly full: boolean }>();
	private proved = false;
	private fulls = 0;
	private fullAt = 0;
	private readonly segmented: boolean;

	constructor(rung: Rung) {
		this.segmented = SEGMENTED.includes(rung);
	}

	/** next makes the probe to send now. */
	next(wall: number, heard: boolean): Probe {
		this.id++;
		const full = this.isFull(wall);
		this.pending.set(this.id, { at: wall, full });
		this.pending.delete(this.id - PENDING);
		return { id: this.id, heard, full, t1: wall };
	}

	/** isFull says whether the next one is to be full: until one of those was answered, for small ones pass holes in the MTU. */
	private isFull(wall: number): boolean {
		const waited = wall - this.fullAt;
		if (this.proved || this.segmented || (this.fulls >= FIRST_FULLS && waited >= 0 && waited < FULL_EVERY))
			return false;
		this.fulls++;
		this.fullAt = wall;
		return true;
	}

	/** echo measures the round trip in ms; null: it answers no probe that proves this path, or is nonsense. */
	echo(echo: Echo, wall: number): number | null {
		const sent = this.pending.get(echo.id);
		if (sent === undefined || sent.at !== echo.t1) return null;
		this.pending.delete(echo.id);
		if (!this.proved && !sent.full && !this.segmented) return null;
		this.proved = true;
		return Math.max(0, wall - sent.at - Math.max(0, echo.t3 - echo.t2)) / 1000;
	}
}
