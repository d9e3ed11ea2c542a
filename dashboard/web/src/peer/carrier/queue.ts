// One channel's own queue. The browser's buffer takes everything and gives
// nothing back, so only little is put in it; what waits, waits here, bounded.

/** Handed to the browser ahead of sending, in bytes: a few packets, so that a fresh frame never waits behind many. */
const AHEAD = 16 * 1024;
/** Waiting here, in bytes. A viewer sends acknowledgements and probes: more than this means that nothing goes out. */
const LIMIT = 64 * 1024;

/** Overflow says who yields when the queue is full: the newest is refused, or the oldest is dropped. */
export type Overflow = "refuse" | "drop-oldest";

export class ChannelQueue {
	private readonly waiting: Uint8Array[] = [];
	private bytes = 0;
	/** dropped counts frames refused or dropped for queue-full. */
	dropped = 0;

	constructor(
		private readonly channel: RTCDataChannel,
		private readonly overflow: Overflow,
	) {
		channel.bufferedAmountLowThreshold = AHEAD / 2;
		channel.onbufferedamountlow = () => this.drain();
	}

	/** push sends the frame now or later; false: refused. */
	push(frame: Uint8Array): boolean {
		if (!this.makeRoom(frame.length)) {
			this.dropped++;
			return false;
		}
		this.waiting.push(frame);
		this.bytes += frame.length;
		this.drain();
		return true;
	}

	queueBytes(): number {
		return this.bytes + this.channel.bufferedAmount;
	}

	/** drain hands over what the browser's buffer has room for. */
	drain(): void {
		while (this.channel.readyState === "open" && this.channel.bufferedAmount < AHEAD) {
			const frame = this.waiting.shift();
			if (frame === undefined) return;
			this.bytes -= frame.length;
			this.channel.send(frame as Uint8Array<ArrayBuffer>);
		}
	}

	private makeRoom(length: number): boolean {
		while (this.bytes + length > LIMIT && this.overflow === "drop-oldest") {
			const oldest = this.waiting.shift();
			if (oldest === undefined) return false;
			this.bytes -= oldest.length;
			this.dropped++;
		}
		return this.bytes + length <= LIMIT;
	}
}
