// The port between the page and the engine in its Worker: every message that
// crosses it, in both directions, and nothing else. Both sides are written
// against this file alone. All messages are structured-cloneable; large ones
// (samples, channels) are transferred.

import type { Pair } from "./peer/carrier/pair";
import type { PathInfo } from "./peer/conn/path-info";

export type { Pair } from "./peer/carrier/pair";
export type { PathInfo, RungInfo } from "./peer/conn/path-info";
export type { Rung } from "./peer/ladder";

/** ToWorker is what the page says to the engine. */
export type ToWorker =
	| { type: "connect"; url: string /* ws(s)://…/v1/link */; token: string }
	| { type: "open"; device: string; want?: string[]; from?: string /* head, start, EPOCH:SEQ; default head */ }
	| { type: "close" }
	| { type: "pull" } // the page's requestAnimationFrame: send what is there
	| { type: "rtc.offer"; attempt: number; sdp: string }
	| { type: "rtc.candidate"; attempt: number; candidate: string; mid: string }
	| { type: "rtc.channels"; attempt: number; channels: RTCDataChannel[] /* transferred */ }
	| { type: "rtc.state"; attempt: number; state: RTCPeerConnectionState; pair?: Pair }
	| { type: "rtc.failed"; attempt: number; reason: string };

/** FromWorker is what the engine says to the page. */
export type FromWorker =
	| {
			type: "link";
			state: "connecting" | "open" | "closed";
			role?: string;
			reason?: string;
			remedy?: string;
			code?: string;
			retryInMs?: number; // absent with "closed": it is not tried again
	  }
	| { type: "devices"; devices: Device[] } // the whole list, each time it changes
	| { type: "opened"; device: Device } // again whenever the open device's presence changes
	| { type: "refused"; code: string; reason: string; remedy: string; candidates: Device[] }
	| { type: "streams"; epoch: string; streams: StreamInfo[] } // the whole list, each time it changes
	| { type: "samples"; parts: Part[]; data: Float64Array /* transferred */; texts: string[]; dropped?: number }
	| { type: "gap"; stream: number; epoch: string; from: number; to: number | null; reason: string }
	| { type: "path"; path: PathInfo } // at most 4 a second
	| { type: "rtc.create"; attempt: number; config: RTCConfiguration }
	| { type: "rtc.answer"; attempt: number; sdp: string }
	| { type: "rtc.candidate"; attempt: number; candidate: string; mid: string }
	| { type: "rtc.close"; attempt: number };

/** Device is what presence says of one device (section 6.5). */
export interface Device {
	id: string;
	name: string;
	state: "live" | "reachable" | "offline";
	since: number; // Unix seconds: when it came into this state
	heardMs: number | null; // ms since the server last heard it, when that was said
	session: number;
	facts: Record<string, string>;
}

/** StreamInfo describes one stream (section 6.3). */
export interface StreamInfo {
	id: number;
	name: string;
	class: "signal" | "call" | "event" | "setpoint" | "live" | "history";
	deadlineMs: number | null;
	meta: StreamMeta;
}

/** StreamMeta has the members of `meta` that telemetry knows, checked for their types. */
export interface StreamMeta {
	kind: "number" | "bool" | "text" | "bytes";
	unit: string;
	label: string; // "": none, show the name
	group: string; // "": none; streams of one group share a chart
	min: number | null;
	max: number | null;
	periodMs: number | null;
	source: string;
	simulated: boolean; // not a measurement
}

/**
 * Part says where one batch of one stream lies in a samples message: n sequence
 * numbers at data[seq], n times at data[t] (ms since the Unix epoch, the
 * device's clock), n numbers at data[v] (bools as 0 and 1; −1: none), n texts
 * at texts[text] (−1: none; bytes as hexadecimal digits).
 */
export interface Part {
	stream: number;
	epoch: string; // 8 hex digits
	n: number;
	seq: number;
	t: number;
	v: number;
	text: number;
	retainedMs: number | null; // how long the server or the device had kept it; null: it is no retained value
	late: boolean; // newer samples of its stream came first
}
