import { type Config, UNMEASURED_PATIENCE } from "./config";

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
		const least = this.known ? 1.5 * this.rtt + 4 * this.variation : UNMEASURED_PATIENCE;
		return Math.max(cfg.doubtFloor, least);
	}
}
