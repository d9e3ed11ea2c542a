import { Alarm, type Env } from "../env";
import { In } from "../live";
import { appendFrame, appendReceipt, hop, TYPE_RECEIPT, Writer } from "../wire";
import type { Carrier } from "./carrier";
import { CHANNELS, type Lane, laneOf } from "./channels";
import { ChannelQueue } from "./queue";

/** RtcEvents are told what happens to the channels; each at any time until close. */
export interface RtcEvents {
	/** all channels are open: the path may be probed. */
	onOpen(): void;
	onPacket(packet: Uint8Array): void;
	/** a channel closed: the path is over. */
	onClosed(): void;
}

/**
 * RtcCarrier sends over the data channels of one connection. The connection
 * itself is on the page: a Worker gets its channels only.
 */
export class RtcCarrier implements Carrier {
	readonly conn = 0;
	private readonly queues = new Map<Lane, ChannelQueue>();
	private readonly live = new In();
	private readonly overdue: Alarm; // a packet of the Live channel is
	private open = false;
	private over = false;

	constructor(
		private readonly channels: RTCDataChannel[],
		private readonly events: RtcEvents,
		private readonly env: Env,
	) {
		this.overdue = new Alarm(env, () => this.sendReceipt(env.now()));
		for (const channel of channels) this.adopt(channel);
		this.check();
	}

	get ready(): boolean {
		return this.open;
	}

	send(lane: Lane, frame: Uint8Array): boolean {
		return this.queues.get(lane)?.push(frame) ?? false;
	}

	queueBytes(): number {
		let sum = 0;
		for (const queue of this.queues.values()) sum += queue.queueBytes();
		return sum;
	}

	dropped(): number {
		let sum = 0;
		for (const queue of this.queues.values()) sum += queue.dropped;
		return sum;
	}

	close(): void {
		this.over = true;
		this.overdue.clear();
		for (const channel of this.channels) {
			channel.onopen = channel.onclose = channel.onmessage = channel.onbufferedamountlow = null;
			channel.close();
		}
	}

	private adopt(channel: RTCDataChannel): void {
		channel.binaryType = "arraybuffer";
		channel.onopen = () => this.check();
		channel.onclose = () => this.events.onClosed();
		const lane = laneOf(channel);
		channel.onmessage = ({ data }: MessageEvent<unknown>) => {
			if (!(data instanceof ArrayBuffer)) return;
			if (lane === "live") this.hearLive(new Uint8Array(data));
			else this.events.onPacket(new Uint8Array(data));
		};
		if (lane === null) return;
		this.queues.set(lane, new ChannelQueue(channel, lane === "reliable" ? "refuse" : "drop-oldest"));
	}

	/** hearLive hands on what a packet of the Live channel brings, and sends the receipt that is due. */
	private hearLive(packet: Uint8Array): void {
		const now = this.env.now();
		const contents: Uint8Array[] = [];
		this.live.receive(now, packet, contents);
		for (const content of contents) if (content.length > 0) this.events.onPacket(content);
		this.sendReceipt(now);
	}

	/** sendReceipt sends the receipt that is due, and comes back when a packet is overdue. */
	private sendReceipt(now: number): void {
		const receipt = this.live.receipt(now);
		if (receipt !== null) {
			const body = appendReceipt(new Writer(), receipt).finish();
			this.send("brief", appendFrame(new Writer(), TYPE_RECEIPT, hop(), body).finish());
		}
		this.overdue.clear();
		const wake = this.live.wake();
		if (wake < Infinity && !this.over) this.overdue.set(wake);
	}

	private check(): void {
		if (this.open || this.queues.size !== CHANNELS.length) return;
		if (!this.channels.every((channel) => channel.readyState === "open")) return;
		this.open = true;
		this.events.onOpen();
	}
}
