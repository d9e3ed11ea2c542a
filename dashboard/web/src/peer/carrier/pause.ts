import type { Env } from "../env";

/** Pauses between requests that fail, in ms: they double from the first to the last. */
const FIRST = 100;
const LAST = 1_600;

/** Pause waits between tries, longer and longer. */
export class Pause {
	private length: number;
	private release: () => void = () => undefined;

	constructor(
		private readonly env: Env,
		private readonly first = FIRST,
	) {
		this.length = first;
	}

	/** wait resolves after the pause, or when it is ended. */
	wait(): Promise<void> {
		return new Promise((resolve) => {
			const cancel = this.env.later(this.length, resolve);
			this.release = () => {
				cancel();
				resolve();
			};
			this.length = Math.min(LAST, this.length * 2);
		});
	}

	/** reset: a try succeeded. */
	reset(): void {
		this.length = this.first;
	}

	/** end releases who waits. */
	end(): void {
		this.release();
	}
}
