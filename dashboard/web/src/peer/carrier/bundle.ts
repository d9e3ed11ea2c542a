import { MAX_PACKET } from "../wire";

/** Packets are not made smaller than this, in bytes. */
const LEAST = 1024;

/** Bundle is what waits to be sent: whole frames, put together to packets as large as they may be. */
export class Bundle {
	private frames: Uint8Array[] = [];
	private most = MAX_PACKET;
	private capped = false;
	private count = 0; // frames in the packet that is being sent; 0: none is
	/** bytes that wait, those of the packet that is being sent included. */
	bytes = 0;

	/** cap is how large packets are at most since one was refused for its size, in bytes; null: none was. */
	get cap(): number | null {
		return this.capped ? this.most : null;
	}

	get empty(): boolean {
		return this.frames.length === 0;
	}

	add(frame: Uint8Array): void {
		this.frames.push(frame);
		this.bytes += frame.length;
	}

	/** packet is the next one to send: the same until it was taken, or refused for its size. */
	packet(): Uint8Array {
		if (this.count === 0) this.count = this.fitting();
		return join(this.frames.slice(0, this.count));
	}

	/** taken: the packet has arrived. */
	taken(): void {
		for (const frame of this.frames.slice(0, this.count)) this.bytes -= frame.length;
		this.frames = this.frames.slice(this.count);
		this.count = 0;
	}

	/**
	 * tooLarge: something between refuses packets of this size; the next ones are
	 * half as large. A frame that is refused alone is dropped, and returned: who sent it will repeat it, or say something shorter.
	 */
	tooLarge(): Uint8Array | null {
		const size = this.frames.slice(0, this.count).reduce((sum, frame) => sum + frame.length, 0);
		this.most = Math.max(LEAST, size >> 1);
		this.capped = true;
		const alone = this.count === 1 ? (this.frames[0] ?? null) : null;
		if (alone !== null) this.taken();
		this.count = 0;
		return alone;
	}

	/** fitting is how many of the frames make a packet; the first goes however long it is. */
	private fitting(): number {
		let sum = 0;
		const beyond = this.frames.findIndex((frame) => {
			sum += frame.length;
			return sum > this.most;
		});
		return beyond < 0 ? this.frames.length : Math.max(1, beyond);
	}
}

function join(frames: Uint8Array[]): Uint8Array {
	const packet = new Uint8Array(frames.reduce((sum, frame) => sum + frame.length, 0));
	let at = 0;
	for (const frame of frames) {
		packet.set(frame, at);
		at += frame.length;
	}
	return packet;
}
