import type { Failure } from "../failures";
import type { Ending, LinkCarrier, LinkCarrierEvents, LinkRequest, LinkRung } from "./link-carrier";

/** FakeCarrier is a link's carrier whose other end is the test. */
export class FakeCarrier implements LinkCarrier {
	readonly opened: boolean;
	concern: Failure | null = null;
	closed = false;
	queued = 0;
	readonly sent: Uint8Array[] = [];

	constructor(
		public rung: LinkRung,
		readonly request: LinkRequest,
		private readonly events: LinkCarrierEvents,
	) {
		this.opened = request.open !== null;
	}

	send(frame: Uint8Array): boolean {
		if (!this.closed) this.sent.push(frame);
		return !this.closed;
	}

	queueBytes(): number {
		return this.queued;
	}

	close(): void {
		this.closed = true;
	}

	/** hear gives the client a packet of these frames. */
	hear(...frames: Uint8Array[]): void {
		const packet = new Uint8Array(frames.reduce((n, f) => n + f.length, 0));
		let at = 0;
		for (const frame of frames) {
			packet.set(frame, at);
			at += frame.length;
		}
		if (!this.closed) this.events.onPacket(packet);
	}

	/** ends is the end that the client did not ask for. */
	ends(ending: Ending): void {
		if (this.closed) return;
		this.closed = true;
		this.events.onOver(ending);
	}

	/** take empties what was sent. */
	take(): Uint8Array[] {
		return this.sent.splice(0);
	}
}

/** Dialled keeps the fake carriers that were dialled, in order. */
export class Dialled {
	readonly carriers: FakeCarrier[] = [];

	readonly dial = (rung: LinkRung, request: LinkRequest, events: LinkCarrierEvents): LinkCarrier => {
		const carrier = new FakeCarrier(rung, request, events);
		this.carriers.push(carrier);
		return carrier;
	};

	/** rungs are those that were dialled so far. */
	rungs(): string {
		return this.carriers.map(({ rung }) => rung).join(" ");
	}

	/** newest of all, or of a rung. */
	newest(rung?: LinkRung): FakeCarrier {
		const carrier = this.carriers.filter((c) => rung === undefined || c.rung === rung).at(-1);
		if (carrier === undefined) throw new Error("nothing was dialled");
		return carrier;
	}
}
