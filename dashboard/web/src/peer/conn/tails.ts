import type { EpochSeq, Stream } from "../signal";

/** How long a stream waits for what is missing before, in ms, while nothing of it comes. */
const PATIENCE = 30_000;

/** Tail is the rest of an Event stream's run that was cut off, or what of this one the ring has no more. */
export interface Tail {
	stream: Stream; // as it was
	at: EpochSeq; // everything up to it was delivered or declared a gap
	to: number; // of this run: the last sample that the ring has no more; 0: it is an earlier one
	final: number | null; // the last sample of at's run, if the device said goodbye
	since: number; // when something of it came last
	unnamed: number; // that of the Tails, when at was known: what came of them since may be of this stream
}

/**
 * Tails are what is missing of Event streams, by name: it comes from the
 * device's spool, before what lies behind it is delivered (section 5.4).
 */
export class Tails {
	private readonly byName = new Map<string, Tail>();
	private brought = Number.NEGATIVE_INFINITY; // when something of a transfer of them was read last, of whichever
	private unnamed = 0; // frames of earlier runs of which nobody can tell whose they are

	/** wait has a stream's new run wait; or, with to, this one, for what is missing up to there. */
	wait(now: number, stream: Stream, at: EpochSeq, final: number | null, to = 0): void {
		this.byName.set(stream.name, { stream, at, to, final, since: now, unnamed: this.unnamed });
	}

	/** lengthen: more is missing by now. */
	lengthen(name: string, to: number): void {
		const tail = this.byName.get(name);
		if (tail !== undefined) tail.to = Math.max(tail.to, to);
	}

	/** to is up to which sample of this run a stream waits; undefined: it does not. */
	to(name: string): number | undefined {
		return this.byName.get(name)?.to;
	}

	waits(name: string): boolean {
		return this.byName.has(name);
	}

	get size(): number {
		return this.byName.size;
	}

	names(): string[] {
		return [...this.byName.keys()];
	}

	at(name: string): EpochSeq | undefined {
		return this.byName.get(name)?.at;
	}

	/** came: everything of the stream up to there. */
	came(now: number, name: string, at: EpochSeq): void {
		const tail = this.byName.get(name);
		if (tail === undefined) return;
		if (at.epoch !== tail.at.epoch) tail.final = null; // how this one ends nobody has said
		tail.at = at;
		tail.since = now;
		tail.unnamed = this.unnamed;
	}

	/** cameUnnamed: a frame of which nobody can tell whose it is. It may be the rest of any run, or the word that there is none. */
	cameUnnamed(): void {
		this.unnamed++;
	}

	/** lacks reports whether such frames came since something of the stream did. */
	lacks(name: string): boolean {
		const tail = this.byName.get(name);
		return tail !== undefined && tail.unnamed !== this.unnamed;
	}

	/** ended: a run of the stream's device ended there, orderly. */
	ended(name: string, { epoch, seq }: EpochSeq): void {
		const tail = this.byName.get(name);
		if (tail?.at.epoch === epoch) tail.final = seq;
	}

	/** declared: what the stream lacks was declared. */
	declared(name: string): void {
		const tail = this.byName.get(name);
		if (tail !== undefined) tail.unnamed = this.unnamed;
	}

	/** brings: a transfer of them moves. What it brings of some others wait for. */
	brings(now: number): void {
		this.brought = now;
	}

	/** end takes out what has waited: those of these streams, or those that waited for too long. */
	end(now: number, names?: ReadonlySet<string>): Tail[] {
		const over = [...this.byName].filter(([name, tail]) => names?.has(name) ?? now >= this.until(tail));
		for (const [name] of over) this.byName.delete(name);
		return over.map(([, tail]) => (tail.unnamed === this.unnamed ? tail : { ...tail, final: null }));
	}

	/** wake is when one will have waited for too long. */
	wake(): number {
		let at = Infinity;
		for (const tail of this.byName.values()) at = Math.min(at, this.until(tail));
		return at;
	}

	private until({ since }: Tail): number {
		return Math.max(since, this.brought) + PATIENCE;
	}
}
