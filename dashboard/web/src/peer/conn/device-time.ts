import type { Env } from "../env";
import { Clock, type Offset, Stamps } from "../session";
import type { Echo, Header } from "../wire";

/** Streams that are watched for a turn of the clock: as many as a device may have. */
const MAX_STREAMS = 256;

export interface DeviceTimeOptions {
	env: Env;
	/** newestTime reads the time of a batch's last sample, µs on the device's clock; null: it has none. */
	newestTime(payload: Uint8Array, count: number): number | null;
	/** measure sends a probe at once. */
	measure(): void;
}

/** DeviceTime is what a Conn knows of the device's clock, and of the ages that follow from it. */
export class DeviceTime {
	private clock = new Clock();
	private readonly stamps = new Map<number, Stamps>();

	constructor(private readonly options: DeviceTimeOptions) {}

	/** echoed takes the answer to a probe, which is here now. */
	echoed({ t1, t2, t3 }: Echo): void {
		const { env } = this.options;
		this.clock.sample(env.now(), t1, t2, t3, env.wall());
	}

	/** rebased: this end's clock was set; what was measured by it is void. */
	rebased(): void {
		this.clock = new Clock();
		this.options.measure();
	}

	/** offset of the device's clock in µs, with its error; null: not known yet. */
	offset(): Offset | null {
		return this.clock.offset(this.options.env.now());
	}

	/**
	 * age is at least how old a live batch's last sample is, in ms; −1: unknown, sealed,
	 * or of no consequence. It is unknown from the moment on at which the device's
	 * clock seems to have been set, until it is measured again.
	 */
	age(header: Header, payload: Uint8Array): number {
		const offset = header.deadline === 0 || header.key !== 0 ? null : this.offset();
		if (offset === null) return -1;
		const { env, newestTime, measure } = this.options;
		const t = newestTime(payload, header.count);
		if (t === null) return -1;
		const age = env.wall() + offset.offset - offset.error - t;
		const isTurned = this.stampsOf(header.stream).turned(header, t, -age - 2 * offset.error);
		if (isTurned && this.clock.doubt(env.now())) measure();
		return this.clock.doubtful ? -1 : Math.max(0, age / 1000);
	}

	private stampsOf(stream: number): Stamps {
		let stamps = this.stamps.get(stream);
		if (stamps === undefined) {
			if (this.stamps.size >= MAX_STREAMS) this.stamps.clear();
			stamps = new Stamps();
			this.stamps.set(stream, stamps);
		}
		return stamps;
	}
}
