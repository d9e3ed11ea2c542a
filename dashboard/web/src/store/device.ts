import type { FromWorker, StreamInfo } from "../port";
import { DeviceClock } from "./clock";
import { type Contact, type Gap, StreamStore } from "./stream";

/** Bytes that the samples of one stream may take: half an hour at 100 Hz fits. */
const STREAM_BYTES = 8 * 1024 * 1024;
/** Bytes that the samples of all streams of a device may take together. */
const DEVICE_BYTES = 256 * 1024 * 1024;

/** Time that putting the past in its place may take of one frame, in ms, but for what the last stream takes: inputs are not to wait for it. */
const FILL_MS = 3;
/** What has come of the past within this time, in ms, says that more of it comes. */
const COMES_MS = 500;

type Samples = Extract<FromWorker, { type: "samples" }>;

/** DeviceStore keeps the streams of the device that is on the page. */
export class DeviceStore {
	readonly clock = new DeviceClock();
	readonly streams = new Map<number, StreamStore>();
	/** Samples ever received. */
	received = 0;
	private readonly contact: Contact = { lostAt: null };
	/** Streams of which enough of the past is here to be put in its place. */
	private readonly filling = new Set<StreamStore>();
	private pastAt = Number.NEGATIVE_INFINITY; // something of it came

	/** describe takes the whole list of streams; a stream that stays keeps its samples. */
	describe(infos: readonly StreamInfo[]): void {
		const limit = Math.min(STREAM_BYTES, DEVICE_BYTES / Math.max(1, infos.length));
		const old = new Map([...this.streams.values()].map((stream) => [identity(stream.info), stream]));
		this.streams.clear();
		for (const info of infos) {
			const stream = old.get(identity(info)) ?? new StreamStore(info, limit, this.contact);
			stream.info = info;
			this.streams.set(info.id, stream);
		}
	}

	/**
	 * measured takes the offset of the device's clock, ± the error, in ms; null:
	 * nothing is known. It returns by how much the device's clock was set, and has
	 * moved what came before as far.
	 */
	measured(offsetMs: number | null, errorMs: number | null, now: number): number {
		if (offsetMs === null || errorMs === null) {
			this.clock.forget();
			return 0;
		}
		const isFirst = !this.clock.isMeasured;
		const step = this.clock.measured(offsetMs, errorMs);
		const time = this.clock.toDevice(now);
		if (isFirst) for (const stream of this.streams.values()) stream.settle(time);
		if (step === 0) return 0;
		for (const stream of this.streams.values()) stream.clockSet(step, time);
		if (this.contact.lostAt !== null) this.contact.lostAt += step;
		return step;
	}

	/** reached says whether a path leads to the device now. */
	reached(is: boolean, now: number): void {
		if (is) this.contact.lostAt = null;
		else this.contact.lostAt ??= this.clock.toDevice(now);
	}

	samples(message: Samples, now: number): void {
		for (const part of message.parts) {
			const stream = this.streams.get(part.stream);
			if (!stream) continue;
			if (part.past) {
				this.pastAt = now;
				stream.addPast(part, message.data);
				if (stream.past.full) this.filling.add(stream);
				continue;
			}
			const fresh = stream.accept(part, message.data, message.texts);
			if (part.restored) continue;
			this.received += fresh;
			const newest = message.data[part.t + part.n - 1];
			if (part.retainedMs === null && !part.late && newest !== undefined) this.clock.heard(newest, now);
		}
	}

	/** pastDone: what came of the past is to be put in its place. */
	pastDone(): void {
		for (const stream of this.streams.values()) if (stream.past.count > 0) this.filling.add(stream);
	}

	/**
	 * fill puts what came of the past in its place, as much as can be done in a moment; to be called in each frame. time is
	 * the page's, now a monotonic one, both in ms.
	 */
	fill(time: number, now: () => number = () => performance.now()): void {
		const began = now();
		for (const stream of this.filling) {
			this.filling.delete(stream);
			stream.fill();
			if (this.clock.isMeasured) stream.settle(this.clock.toDevice(time));
			if (now() - began >= FILL_MS) return;
		}
	}

	/** fills says whether the past comes, or is being put in its place; now is the page's time in ms. */
	fills(now: number): boolean {
		return this.filling.size > 0 || Math.abs(now - this.pastAt) < COMES_MS;
	}

	gap(message: Gap): void {
		this.streams.get(message.stream)?.gap(message);
	}
}

/** A stream is the same after a restart of the device when name and kind are, whatever its number. */
export function identity(info: StreamInfo): string {
	return `${info.meta.kind} ${info.name}`;
}
