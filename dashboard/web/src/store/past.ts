import type { Part } from "../port";
import type { Columns } from "./ring";

/** Rows that are put into a chart at once: doing it costs as much as the chart is long. */
const FULL = 20_000;

/** Past gathers samples of a stream that come from the device's spool: in order, of one epoch after the other. */
export class Past {
	private seqs: number[] = [];
	private times: number[] = [];
	private values: number[] = [];
	/** Where each epoch begins. */
	private epochs: { epoch: string; row: number }[] = [];

	get count(): number {
		return this.seqs.length;
	}

	get full(): boolean {
		return this.count >= FULL;
	}

	get lastEpoch(): string {
		return this.epochs.at(-1)?.epoch ?? "";
	}

	/** add takes a part. shift says how many ms to add to the time of a sample. */
	add(part: Part, data: Float64Array, shift: (seq: number) => number = () => 0): void {
		if (part.epoch !== this.lastEpoch) this.epochs.push({ epoch: part.epoch, row: this.count });
		for (let i = 0; i < part.n; i++) {
			const seq = data[part.seq + i] as number;
			this.seqs.push(seq);
			this.times.push((data[part.t + i] as number) + shift(seq));
			this.values.push(part.v < 0 ? Number.NaN : (data[part.v + i] as number));
		}
	}

	/** take empties it: what is of earlier epochs, and what is of this one. */
	take(epoch: string): { before: Columns; current: Columns } {
		const split = this.lastEpoch === epoch ? (this.epochs.at(-1)?.row ?? 0) : this.count;
		const taken = { before: this.columns(0, split), current: this.columns(split, this.count) };
		this.clear();
		return taken;
	}

	clear(): void {
		this.seqs = [];
		this.times = [];
		this.values = [];
		this.epochs = [];
	}

	private columns(from: number, to: number): Columns {
		const breaks = new Uint8Array(to - from);
		for (const { row } of this.epochs) if (row > from && row < to) breaks[row - from] = 1;
		return {
			seqs: Float64Array.from(this.seqs.slice(from, to)),
			times: Float64Array.from(this.times.slice(from, to)),
			values: Float64Array.from(this.values.slice(from, to)),
			breaks,
		};
	}
}
