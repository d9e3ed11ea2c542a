import type { FromWorker, Part, StreamInfo, ToWorker } from "../src/port";
import type { Engine } from "../src/view/state/engine";

/** Wave is how a made-up stream goes: its value at a time in seconds; null: no sample then. */
export type Wave = (t: number) => number | string | null;

export interface MadeUpStream {
	info: StreamInfo;
	wave: Wave;
	/** Retained: one old value, of this age in ms, and nothing after. */
	retainedMs?: number;
}

/** Scene is what a made-up engine says, and what it answers. */
export interface Scene {
	hash: string;
	onConnect: FromWorker[];
	onOpen: FromWorker[];
	streams: MadeUpStream[];
	/** How much of the past is there at once, in ms. */
	historyMs: number;
}

const EPOCH = "0a1b2c3d";

/** MadeUp is an engine without a network: it makes samples when the page pulls. */
export class MadeUp implements Engine {
	private listener: (message: FromWorker) => void = () => undefined;
	/** What the page said, but for its pulls. */
	readonly heard: ToWorker[] = [];
	private connected = false;
	private asked = false; // to open the device
	private opened = false;
	private readonly next = new Map<number, { seq: number; t: number }>();
	private readonly begin: number;

	constructor(private readonly scene: Scene) {
		this.begin = Date.now() - scene.historyMs;
	}

	listen(listener: (message: FromWorker) => void): void {
		this.listener = listener;
	}

	send(message: ToWorker): void {
		if (message.type !== "pull") this.heard.push(message);
		else if (this.opened) this.pull();
		if (message.type === "open") this.asked = true;
		if (message.type === "connect") {
			this.connected = true;
			this.say(this.scene.onConnect);
		}
		if (this.connected && this.asked) this.open();
	}

	private open(): void {
		this.asked = false;
		this.say(this.scene.onOpen);
		queueMicrotask(() => {
			this.opened = true;
		});
	}

	dispose(): void {}

	private say(messages: FromWorker[]): void {
		for (const message of messages) queueMicrotask(() => this.listener(message));
	}

	private pull(): void {
		const batch = new Batch();
		for (const stream of this.scene.streams) this.make(stream, batch);
		const data = Float64Array.from(batch.data);
		for (const beat of this.scene.onOpen) if (beat.type === "control.state") this.listener(beat);
		if (batch.parts.length > 0) this.listener({ type: "samples", parts: batch.parts, data, texts: batch.texts });
	}

	private make({ info, wave, retainedMs }: MadeUpStream, batch: Batch): void {
		const state = this.next.get(info.id) ?? { seq: 1, t: this.begin };
		this.next.set(info.id, state);
		if (retainedMs !== undefined) {
			if (state.seq === 1) batch.add(info.id, [1], [Date.now() - retainedMs], [wave(0)], retainedMs);
			state.seq = 2;
			return;
		}
		const period = info.meta.periodMs ?? 2_500;
		const [seqs, times, values]: [number[], number[], (number | string)[]] = [[], [], []];
		for (; state.t <= Date.now() - 4; state.t += period) {
			const value = wave(state.t / 1_000);
			const seq = state.seq++;
			if (value === null) continue;
			seqs.push(seq);
			times.push(state.t);
			values.push(value);
		}
		batch.add(info.id, seqs, times, values, null);
	}
}

/** Batch gathers the parts of one message. */
class Batch {
	readonly parts: Part[] = [];
	readonly data: number[] = [];
	readonly texts: string[] = [];

	add(
		stream: number,
		seqs: number[],
		times: number[],
		values: (number | string | null)[],
		retainedMs: number | null,
	): void {
		if (seqs.length === 0) return;
		const part = { stream, epoch: EPOCH, n: seqs.length, seq: this.put(seqs), t: this.put(times), v: -1, text: -1 };
		if (typeof values[0] === "string") {
			part.text = this.texts.length;
			for (const value of values) this.texts.push(String(value));
		} else part.v = this.put(values.map(Number));
		this.parts.push({ ...part, retainedMs, late: false, restored: false });
	}

	private put(numbers: number[]): number {
		const at = this.data.length;
		for (const number of numbers) this.data.push(number);
		return at;
	}
}
