/** Line is one entry of a log: a text that came, or a place where texts are missing. */
export interface Line {
	seq: number;
	/** ms since the Unix epoch on the device's clock. */
	time: number;
	text: string;
	/** How many entries lack before the next one: 0 for a text, −1 for an unknown number. */
	missing: number;
}

/** Lines that a log keeps; a person reads the last few, and a longer list would cost the page its pace. */
export const MAX_LINES = 2_000;
/** Characters that a log keeps, over all its lines. */
export const MAX_CHARACTERS = 1_000_000;

/** Log holds the newest lines of one text stream, in order of their sequence numbers. */
export class Log {
	readonly lines: Line[] = [];
	/** Grows with each change, so that a view can tell whether it has drawn this state. */
	version = 0;
	private characters = 0;
	private epochStart = 0;

	startEpoch(): void {
		this.epochStart = this.lines.length;
	}

	/** add puts a line in its place; false: it was there already. */
	add(seq: number, time: number, text: string): boolean {
		const at = this.place(seq);
		if (at > this.epochStart && this.seqAt(at - 1) === seq) return false;
		this.insert(at, { seq, time, text, missing: 0 });
		return true;
	}

	/** addGap notes that entries are missing, up to that sequence number of this epoch, or of the one before or after. */
	addGap(gap: Omit<Line, "time">, epoch: "this" | "before" | "after"): void {
		const at = epoch === "this" ? this.place(gap.seq) : epoch === "before" ? this.epochStart : this.lines.length;
		this.insert(at, { ...gap, time: this.lines[at - 1]?.time ?? this.lines[at]?.time ?? Number.NaN });
		if (epoch === "before") this.epochStart++;
	}

	/** move adds ms to the times of the first lines. */
	move(lines: number, ms: number): void {
		for (const line of this.lines.slice(0, lines)) line.time += ms;
		if (lines > 0) this.version++;
	}

	/** place is where a sequence number belongs among those of the newest epoch. */
	private place(seq: number): number {
		let at = this.lines.length;
		while (at > this.epochStart && this.seqAt(at - 1) > seq) at--;
		return at;
	}

	private seqAt(at: number): number {
		return this.lines[at]?.seq ?? 0;
	}

	private insert(at: number, line: Line): void {
		this.lines.splice(at, 0, line);
		this.characters += line.text.length;
		this.version++;
		while (this.lines.length > MAX_LINES || (this.characters > MAX_CHARACTERS && this.lines.length > 1)) this.drop();
	}

	private drop(): void {
		this.characters -= this.lines.shift()?.text.length ?? 0;
		this.epochStart = Math.max(0, this.epochStart - 1);
	}
}
