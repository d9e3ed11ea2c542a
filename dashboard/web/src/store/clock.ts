/** Corrections smaller than this are spread over time, so that no chart jumps. */
const STEP_MS = 100;
/** Share of a small correction that one measurement brings in. */
const SLEW = 0.25;

/**
 * DeviceClock tells the time on the device. Samples carry the device's time;
 * the charts' axes run on it, and ages come from it. Until the offset has been
 * measured, the newest sample that arrives is taken to be no older than zero:
 * that makes an age too small, never too large.
 */
export class DeviceClock {
	private offset = 0;
	private known: "no" | "guessed" | "measured" = "no";
	/** What was measured last, with the bound of its error. */
	private last = { offset: 0, error: 0 };

	/**
	 * measured says what the probes found: device's clock minus this one, and the
	 * bound of the error, in ms. It returns by how much the device's clock was
	 * set since the last time: 0, unless the two differ by more than both errors.
	 */
	measured(offsetMs: number, errorMs: number): number {
		const { known, last } = this;
		const correction = offsetMs - this.offset;
		const jump = known !== "measured" || Math.abs(correction) > STEP_MS;
		this.offset = jump ? offsetMs : this.offset + correction * SLEW;
		this.known = "measured";
		this.last = { offset: offsetMs, error: errorMs };
		const step = offsetMs - last.offset;
		const isSet = known === "measured" && Math.abs(step) > Math.max(STEP_MS, errorMs + last.error);
		return isSet ? step : 0;
	}

	get isMeasured(): boolean {
		return this.known === "measured";
	}

	/** forget says that nothing is known any more: this end's clock was set, or there was no path for long. */
	forget(): void {
		if (this.known === "measured") this.known = "no";
	}

	/** heard says that a live sample of that device time is here now. */
	heard(sampleTime: number, now: number): void {
		if (this.known === "measured") return;
		const offset = sampleTime - now;
		if (this.known === "guessed" && offset <= this.offset) return;
		this.offset = offset;
		this.known = "guessed";
	}

	toDevice(pageTime: number): number {
		return pageTime + this.offset;
	}

	toPage(deviceTime: number): number {
		return deviceTime - this.offset;
	}
}
