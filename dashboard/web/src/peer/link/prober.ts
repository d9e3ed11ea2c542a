import type { Echo, Probe } from "../wire";

/** Probes that may still be answered, per path: at one each 100 ms this is longer than any round trip worth waiting for. */
const PENDING = 64;

/** Prober numbers one path's probes and knows their echoes again. Times are µs on this end's clock. */
export class Prober {
	private id = 0;
	private readonly pending = new Map<number, number>();
	private proved = false;

	/** next makes the probe to send now. It is a full one until one of those was answered: small ones pass holes in the MTU. */
	next(wall: number, heard: boolean): Probe {
		this.id++;
		this.pending.set(this.id, wall);
		this.pending.delete(this.id - PENDING);
		return { id: this.id, heard, full: !this.proved, t1: wall };
	}

	/** echo measures the round trip in ms; null: it answers no probe of this path, or is nonsense. */
	echo(echo: Echo, wall: number): number | null {
		const sent = this.pending.get(echo.id);
		if (sent === undefined || sent !== echo.t1) return null;
		this.pending.delete(echo.id);
		this.proved = true;
		return Math.max(0, wall - sent - Math.max(0, echo.t3 - echo.t2)) / 1000;
	}
}
