import { type Config, DYING_YOUNG, FORGIVE_AFTER } from "./config";

/**
 * HoldDown is how long a rung has to stay sound before it is used alone. It
 * belongs to the rung, not to a carrier: a successor inherits its
 * predecessor's record, otherwise a flapping path would be trusted anew each time.
 */
export class HoldDown {
	private stay = 0; // 0: never died young
	private diedYoung = 0; // when it did, last

	/** current is the hold-down now. */
	current(now: number, cfg: Config): number {
		return this.stay === 0 || now >= this.diedYoung + FORGIVE_AFTER ? cfg.stay : this.stay;
	}

	/**
	 * death doubles the hold-down if the carrier died young: taken and trouble
	 * are when it was chosen and when its last doubt began.
	 */
	death(now: number, taken: number, trouble: number, cfg: Config): void {
		if (trouble >= taken + DYING_YOUNG) return;
		this.stay = Math.min(2 * this.current(now, cfg), cfg.stayMax);
		this.diedYoung = now;
	}
}
