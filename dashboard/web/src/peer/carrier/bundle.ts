import {
	MAX_PACKET,
	nextFrame,
	Reader,
	TYPE_ACK,
	TYPE_DRIVE,
	TYPE_ECHO,
	TYPE_GAP,
	TYPE_PROBE,
	TYPE_SIGNAL,
	TYPE_TICK,
} from "../wire";

/** Packets are not made smaller than this, in bytes. */
const LEAST = 1024;

/** Kind is what a packet's frames allow: nothing but control frames, nothing that needs an order, what has one, and signals, which go alone. */
type Kind = "control" | "free" | "ordered" | "alone";
const KINDS: readonly Kind[] = ["control", "free", "ordered", "alone"];

const CONTROL: readonly number[] = [TYPE_ACK, TYPE_GAP, TYPE_PROBE, TYPE_ECHO];
const SETPOINTS: readonly number[] = [TYPE_TICK, TYPE_DRIVE];

/** Packet is whole frames that go together. */
export interface Packet {
	readonly frames: readonly Uint8Array[];
	readonly bytes: number;
	readonly kind: Kind;
}

/** Bundle is what waits to be sent: whole frames, put together to packets as large as they may be. */
export class Bundle {
	private frames: Uint8Array[] = [];
	private most = MAX_PACKET;
	private known = LEAST; // bytes of a packet that do get through
	private capped = false;
	/** bytes that wait, those of packets that are under way included. */
	bytes = 0;

	/** cap is how large packets are at most since one was refused for its size, in bytes; null: none was. */
	get cap(): number | null {
		return this.capped ? this.most : null;
	}

	/** empty: nothing waits to be taken. */
	get empty(): boolean {
		return this.frames.length === 0;
	}

	add(frame: Uint8Array): void {
		this.frames.push(frame);
		this.bytes += frame.length;
	}

	/** take is the next packet, if there is one and it may go. */
	take(may: (packet: Packet) => boolean): Packet | null {
		if (this.empty) return null;
		const packet = this.made(this.frames.slice(0, this.fitting(this.frames)));
		if (!may(packet)) return null;
		this.frames = this.frames.slice(packet.frames.length);
		return packet;
	}

	/** taken: a packet has arrived. */
	taken(packet: Packet): void {
		this.bytes -= packet.bytes;
		this.known = Math.max(this.known, packet.bytes);
	}

	/**
	 * tooLarge: something between refuses packets of this size; the next ones are half as large. The first part of it is
	 * to be sent in its place, the rest waits again. Of a frame that is refused alone nothing is: who sent it will repeat it, or say something shorter.
	 */
	tooLarge({ frames, bytes }: Packet): Packet {
		this.most = Math.max(LEAST, bytes >> 1);
		this.capped = true;
		const first = this.made(frames.length === 1 ? [] : frames.slice(0, this.fitting(frames)));
		if (frames.length === 1) this.bytes -= bytes;
		else this.frames = [...frames.slice(first.frames.length), ...this.frames];
		return first;
	}

	private made(frames: readonly Uint8Array[]): Packet {
		const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
		// What is longer than all before may come out to be too long: what goes with it could not keep its order.
		const kind = bytes > this.known ? "alone" : kindOf(frames);
		return { frames, bytes, kind };
	}

	/** fitting is how many of the frames make a packet; the first goes however long it is. */
	private fitting(frames: readonly Uint8Array[]): number {
		let sum = 0;
		const beyond = frames.findIndex((frame) => {
			sum += frame.length;
			return sum > this.most;
		});
		return beyond < 0 ? frames.length : Math.max(1, beyond);
	}
}

function kindOf(frames: readonly Uint8Array[]): Kind {
	const strictest = Math.max(0, ...frames.map((frame) => KINDS.indexOf(kindOfFrame(frame))));
	return KINDS[strictest] ?? "alone";
}

function kindOfFrame(frame: Uint8Array): Kind {
	const { type } = nextFrame(new Reader(frame));
	if (CONTROL.includes(type)) return "control";
	if (SETPOINTS.includes(type)) return "free";
	return type === TYPE_SIGNAL ? "alone" : "ordered";
}

/** bodyOf is a packet as a request has it. */
export function bodyOf({ frames, bytes }: Packet): Uint8Array {
	const body = new Uint8Array(bytes);
	let at = 0;
	for (const frame of frames) {
		body.set(frame, at);
		at += frame.length;
	}
	return body;
}
