import { appendFrame, eachFrame, type Frame, hop, TYPE_SIGNAL, Writer } from "./wire";

/** said frames a signal as a server or a device would. */
export function said(conn: number, message: object): Uint8Array {
	const body = new TextEncoder().encode(JSON.stringify(message));
	return appendFrame(new Writer(), TYPE_SIGNAL, hop({ conn }), body).finish();
}

/** read opens packets. */
export function read(packets: Uint8Array[]): Frame[] {
	const frames: Frame[] = [];
	for (const packet of packets) {
		eachFrame(
			packet,
			(frame) => frames.push(frame),
			(error) => {
				throw error;
			},
		);
	}
	return frames;
}

/** signals are the signals among frames, with their conn numbers. */
export function signals(packets: Uint8Array[]): Record<string, unknown>[] {
	return read(packets)
		.filter((frame) => frame.type === TYPE_SIGNAL)
		.map((frame) => ({ conn: frame.hop.conn, ...JSON.parse(new TextDecoder().decode(frame.body)) }));
}
