// Attempts at a data-channel connection of one kind: one at a time is being made,
// beside those that stand. Numbers rise, the newer one wins, and one that fails is
// repeated later and later (sections 6.3 and 7.2). Pure: it is told what
// happened and when, and says what to do.

/** Pauses after failures in a row, in ms; the last one stays. */
const PAUSES = [1_000, 2_000, 4_000, 8_000, 15_000];
/** An attempt that has no open channels by now has failed, in ms: ten round trips on the slowest link that is worth one. */
const PATIENCE = 10_000;

/** The device can have a new attempt made at most this often, in ms. */
const ASKED_EVERY = 5_000;

/** How long a connection is kept beside its successor, in ms: the proof takes the other end another moment, and what is under way is to come. */
const OVERLAP = 1_000;

/** As many there are at most: the one in use and its successor. */
const MOST = 2;

/** Phase of an attempt: being made, with open channels, proven both ways. */
export type Phase = "making" | "open" | "proved";

export interface Attempt {
	readonly number: number;
	readonly since: number;
	phase: Phase;
	provedAt: number; // Infinity: it was not
}

export class Attempts {
	private readonly all = new Map<number, Attempt>();
	private failures = 0;
	private earliest = 0;
	private begun = -Infinity; // when the newest began
	private successorWanted = false;
	private asked = false; // for a successor, by the device
	/** reason of the newest failure, for the drawer. */
	reason = "";

	/** next makes rising numbers: of all Conns of a page, so that a late word about one is not taken for another's. */
	constructor(private readonly next: () => number) {}

	/** get finds an attempt that is being made or stands. */
	get(number: number): Attempt | undefined {
		return this.all.get(number);
	}

	/** making is the attempt that is under way, if one is. */
	making(): Attempt | undefined {
		return [...this.all.values()].find((a) => a.phase === "making");
	}

	/** start begins the next attempt if one is wanted and its time has come; its number, or 0. */
	start(now: number): number {
		if (now < this.nextAt()) return 0;
		const number = this.next();
		this.all.set(number, { number, since: now, phase: "making", provedAt: Infinity });
		this.begun = now;
		this.successorWanted = this.asked = false;
		return number;
	}

	/** excess is the attempt that has to give way to the newest: the oldest before it that is not proven, or the oldest; 0: there is room. */
	excess(): number {
		if (this.all.size <= MOST) return 0;
		const before = [...this.all.values()].slice(0, -1);
		return (before.find((a) => a.phase !== "proved") ?? before[0])?.number ?? 0;
	}

	/** opened: its channels are open. */
	opened(number: number): void {
		const attempt = this.all.get(number);
		if (attempt !== undefined) attempt.phase = "open";
	}

	/** proved both ways: it was worth the effort. */
	proved(now: number, number: number): void {
		const attempt = this.all.get(number);
		if (attempt === undefined || attempt.phase === "proved") return;
		attempt.phase = "proved";
		attempt.provedAt = now;
		this.failures = 0;
		this.reason = "";
		this.asked = false;
	}

	/** replaced are those whose successor has been proved for long enough: they are forgotten. */
	replaced(now: number): number[] {
		const newest = [...this.all.values()].filter((a) => now >= a.provedAt + OVERLAP).at(-1);
		const older = [...this.all.keys()].filter((n) => newest !== undefined && n < newest.number);
		for (const n of older) this.all.delete(n);
		return older;
	}

	/** failed forgets an attempt and puts the next one off. One that had been proven is replaced at once. */
	failed(now: number, number: number, reason: string): void {
		const attempt = this.all.get(number);
		if (attempt === undefined) return;
		this.all.delete(number);
		this.reason = reason;
		if (attempt.phase === "proved") return;
		this.earliest = now + (PAUSES[Math.min(this.failures, PAUSES.length - 1)] ?? 0);
		this.failures++;
	}

	/** expired is an attempt that took too long; to be failed. */
	expired(now: number): number {
		const attempt = this.making();
		return attempt !== undefined && now - attempt.since >= PATIENCE ? attempt.number : 0;
	}

	/** replace asks for a successor beside what stands; one that is being made already is that successor. */
	replace(): void {
		if (this.making() === undefined) this.successorWanted = true;
	}

	/** ask: the device wants a successor, which it gets, but not as often as it likes. */
	ask(): void {
		this.asked = true;
	}

	/** putOff lets the next attempt wait for as long as one is given. */
	putOff(now: number): void {
		this.earliest = Math.max(this.earliest, now + PATIENCE);
	}

	/** dropped forgets an attempt that was given up for no fault of its own. */
	dropped(number: number): void {
		this.all.delete(number);
	}

	/** fresh forgets the pauses: the other end is new. */
	fresh(now: number): void {
		this.failures = 0;
		this.earliest = now;
	}

	/** numbers of all attempts, to close them. */
	numbers(): number[] {
		return [...this.all.keys()];
	}

	/** nextAt is when the next attempt begins; Infinity: none is wanted. */
	nextAt(): number {
		if (this.making() !== undefined) return Infinity;
		if (this.all.size === 0 || this.successorWanted) return this.earliest;
		return this.asked ? Math.max(this.earliest, this.begun + ASKED_EVERY) : Infinity;
	}

	/** wake is when start or expired has something to say. */
	wake(): number {
		const attempt = this.making();
		return attempt === undefined ? this.nextAt() : attempt.since + PATIENCE;
	}

	/** replacedAt is when replaced has. */
	replacedAt(): number {
		const [, ...younger] = this.all.values();
		return Math.min(...younger.map((a) => a.provedAt + OVERLAP));
	}
}
