import type { Lane } from "./channels";

/**
 * Carrier moves frames over one path. Sending never blocks and never throws: a
 * frame that finds no room is refused and counted, because whoever sends knows
 * how to repeat it and a queue without bound helps nobody (I5).
 */
export interface Carrier {
	/** conn is the number that frames to the device bear on this path; 0: none, the path is the Conn's own. */
	readonly conn: number;
	/** send hands over one whole frame, which is not changed afterwards. */
	send(lane: Lane, frame: Uint8Array): boolean;
	/** queueBytes is what waits here and in the browser to be sent. */
	queueBytes(): number;
	/** close ends the path at once; nothing is called back afterwards. */
	close(): void;
}
