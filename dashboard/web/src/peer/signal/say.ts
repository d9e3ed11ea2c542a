import { appendFrame, FormatError, type Hop, MAX_SIGNAL, TYPE_SIGNAL, type Writer } from "../wire";

/** Offer is an attempt at a data-channel connection. Attempts rise; the newer one wins. */
export interface Offer {
	attempt: number;
	sdp: string;
	turned?: true; // of the turned kind
}

/** FromViewer is every signal that a viewer says, with its members as JSON has them. */
export type FromViewer =
	| { type: "watch" }
	| { type: "servers" } // which TURN servers there are, without a Conn
	| {
			type: "open";
			device: string; // name or id
			id: string; // the Conn's UUID
			want?: string[]; // globs; all streams if absent
			from?: string; // head (default), start or EPOCH:SEQ
			epoch?: string; // the one that the device accepted with last, 8 hex digits
			revision?: number; // in epoch: the descriptions up to it are here
			positions?: Record<number, string>; // EPOCH:SEQ by stream number, when resuming
			offer?: Offer;
	  }
	| ({ type: "offer" } & Offer)
	| { type: "candidate"; attempt: number; candidate: string /* empty: no more */; mid: string }
	| {
			type: "history";
			transfer: string; // 8 hex digits
			streams: number[];
			positions: Record<number, string>; // EPOCH:SEQ by stream number; absent: nothing is known
			since_ms: number;
	  }
	| { type: "close" }
	| { type: "end" }; // of a link over HTTP, without a code: this end just leaves

/** encode writes the body of a Signal frame. */
export function encode(message: FromViewer): Uint8Array<ArrayBuffer> {
	const body = new TextEncoder().encode(JSON.stringify(message));
	if (body.length > MAX_SIGNAL)
		throw new FormatError("signal", `signal of ${body.length} bytes, more than ${MAX_SIGNAL}`);
	return body;
}

/** appendSignal appends a whole Signal frame. */
export function appendSignal(w: Writer, h: Hop, message: FromViewer): Writer {
	return appendFrame(w, TYPE_SIGNAL, h, encode(message));
}
