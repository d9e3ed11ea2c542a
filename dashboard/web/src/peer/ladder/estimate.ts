import { type Config, MAX_SPREAD, UNMEASURED_PATIENCE } from "./config";

/** Estimate smooths round trips as RFC 6298, section 2, does. */
export class Estimate {
	known = false;
	rtt = 0;
	variation = 0;

	/** add takes a measured round trip. One that is not positive is none: the caller has a proof without a measurement. */
	add(rtt: number): void {
		if (!(rtt > 0)) return;
		if (this.known) {
			this.variation += (Math.abs(this.rtt - rtt) - this.variation) / 4;
			this.rtt += (rtt - this.rtt) / 8;
			return;
		}
		this.known = true;
		this.rtt = rtt;
		this.variation = rtt / 2;
	}

	/** patience is how long an answer may take before it is missed. */
	patience(cfg: Config): number {
		if (!this.known) return Math.max(cfg.doubtFloor, UNMEASURED_PATIENCE);
		const spread = Math.min(4 * this.variation, 2 * this.rtt + MAX_SPREAD);
		return Math.max(cfg.doubtFloor, 1.5 * this.rtt + spread);
	}

	/** unsettled: the round trips differed much lately, as behind an outage. More of them are wanted soon. */
	unsettled(): boolean {
		return this.known && this.variation > this.rtt / 2;
	}
}
