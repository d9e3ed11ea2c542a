import type { Carrier } from "./carrier";
import type { Lane } from "./channels";

/** SharedLink is the link as a carrier needs it. */
export interface SharedLink {
	/** send hands over one whole frame; false: the link is down or its queue is full. */
	send(frame: Uint8Array, mustArrive: boolean): boolean;
	queueBytes(): number;
}

/** LinkShare is one Conn's share of the link: through the server, on whatever rung the link is. */
export class LinkShare implements Carrier {
	private open = true;

	constructor(
		private readonly link: SharedLink,
		readonly conn: number,
	) {}

	send(lane: Lane, frame: Uint8Array): boolean {
		return this.open && this.link.send(frame, lane === "reliable");
	}

	queueBytes(): number {
		return this.link.queueBytes();
	}

	/** The link stays: other Conns and presence use it too. */
	close(): void {
		this.open = false;
	}
}
