// What the world gives to the parts that are not pure: time, randomness, a
// timer. It is handed in, so that tests drive it and so that the same code runs
// in a Worker and on a page.

/** Env is the world as links, carriers and Conns see it. */
export interface Env {
	/** now is a monotonic time in ms, with a fraction. */
	now(): number;
	/** wall is µs since the Unix epoch; it runs with now and is set anew only when rebased. */
	wall(): number;
	/** rebase sets wall to the system's clock if they are further apart than a sleep explains; true if it did. */
	rebase(): boolean;
	/** random is in [0, 1). */
	random(): number;
	/** later calls once after ms and returns what cancels that. */
	later(ms: number, call: () => void): () => void;
	/** uuid makes a random UUID, version 4. */
	uuid(): string;
	/** debug is for whoever is looking for a fault; it does nothing otherwise. */
	debug(...what: unknown[]): void;
}

/** A computer that slept or whose clock was set is off by more than this, in ms. */
const REBASE_ABOVE = 250;

/** realEnv is the browser's own. performance.now alone would stand still while some computers sleep; Date.now is too coarse. */
export function realEnv(debug: (...what: unknown[]) => void): Env {
	let base = performance.timeOrigin;
	return {
		now: () => performance.now(),
		wall: () => Math.round((base + performance.now()) * 1000),
		rebase() {
			const is = Date.now() - performance.now();
			if (Math.abs(is - base) <= REBASE_ABOVE) return false;
			base = is;
			return true;
		},
		random: () => Math.random(),
		later(ms, call) {
			const timer = setTimeout(call, Math.max(0, ms));
			return () => clearTimeout(timer);
		},
		uuid: randomUUID,
		debug,
	};
}

/** randomUUID works without a secure context, where crypto.randomUUID does not exist. */
export function randomUUID(): string {
	const b = crypto.getRandomValues(new Uint8Array(16));
	b[6] = ((b[6] ?? 0) & 0x0f) | 0x40;
	b[8] = ((b[8] ?? 0) & 0x3f) | 0x80;
	const hex = Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
	return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Alarm is one timer that can be set earlier: it calls once at the earliest of the times asked for. */
export class Alarm {
	private at = Infinity;
	private cancel: (() => void) | null = null;

	constructor(
		private readonly env: Env,
		private readonly ring: () => void,
	) {}

	/** set asks for a call at a time of env.now; a later one than already asked for changes nothing. */
	set(at: number): void {
		if (at >= this.at) return;
		this.clear();
		this.at = at;
		this.cancel = this.env.later(at - this.env.now(), () => {
			this.at = Infinity;
			this.cancel = null;
			this.ring();
		});
	}

	clear(): void {
		this.cancel?.();
		this.cancel = null;
		this.at = Infinity;
	}
}
