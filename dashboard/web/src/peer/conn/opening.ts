import { retryDelay } from "../link/backoff";
import type { Retry } from "../wire";

/** Repetitions of `open` without `accept`, in ms (section 6.3); the last one stays. */
const REPEATS = [1_000, 2_000, 4_000, 8_000, 15_000];
/** An open for data that nobody described is sent at most this often, in ms. */
const AGAIN = 1_000;

/** Opening decides when the Conn's `open` is to be sent. It is pure: sending is its owner's. */
export class Opening {
	private dueAt = Infinity;
	private sentAt = -Infinity;
	private tries = 0;
	accepted = false;
	asked = false; // since the link and the device's session are what they are

	/** restart asks for an open now: the link or the device's session is new. */
	restart(now: number): void {
		this.accepted = false;
		this.asked = false;
		this.tries = 0;
		this.dueAt = now;
	}

	/** again asks for an open because something came that is not known here. */
	again(now: number): void {
		this.dueAt = Math.min(this.dueAt, Math.max(now, this.sentAt + AGAIN));
	}

	/** sent notes that an open is on its way. */
	sent(now: number): void {
		this.sentAt = now;
		this.asked = true;
		this.dueAt = this.accepted ? Infinity : now + (REPEATS[Math.min(this.tries, REPEATS.length - 1)] ?? Infinity);
		this.tries++;
	}

	accept(): void {
		this.accepted = true;
		this.tries = 0;
		this.dueAt = Infinity;
	}

	/** refused waits as the refusal's code says (section 6.6). */
	refused(now: number, retry: Retry, random: () => number): void {
		this.accepted = false;
		const delay = retryDelay(retry, Math.max(1, this.tries), random);
		this.dueAt = delay === null ? Infinity : now + delay;
	}

	/** pause: there is no link to send on. */
	pause(): void {
		this.dueAt = Infinity;
	}

	due(now: number): boolean {
		return now >= this.dueAt;
	}

	wake(): number {
		return this.dueAt;
	}
}
