// The port between the page and the engine in its Worker: every message that
// crosses it, in both directions, and nothing else. Both sides are written
// against this file alone. All messages are structured-cloneable; large ones
// (samples, channels) are transferred.

import type { Pair } from "./peer/carrier/pair";
import type { PathInfo } from "./peer/conn/path-info";
import type { Failure } from "./peer/failures";
import type { Rung } from "./peer/ladder";
import type { Carried } from "./peer/link/verdicts";
import type { Device, TurnServer } from "./peer/signal";
import type { Meta } from "./peer/telemetry";
import type { Class } from "./peer/wire";
import type { FromControl, ToControl } from "./port-control";

export type { Pair } from "./peer/carrier/pair";
export type { PathInfo, RungInfo } from "./peer/conn/path-info";
export type { Rung } from "./peer/ladder";
export type { Carried } from "./peer/link/verdicts";
export type { Device } from "./peer/signal";
export type { Meta as StreamMeta } from "./peer/telemetry";
export * from "./port-control";

/** ToWorker is what the page says to the engine. */
export type ToWorker =
	| ToControl
	| {
			type: "connect";
			url: string; // ws(s)://…/v1/link
			token: string;
			only?: Rung[]; // rungs to keep to, for testing; none or absent: all
			connectMs?: number; // what connecting to the server took for the page; absent: not known
			carried?: Carried | null; // what an earlier visit on this network found out
	  }
	| { type: "nudge"; changed: boolean } // the page is looked at again, or the network has changed
	| {
			type: "open";
			device: string;
			want?: string[];
			from?: string; // head, start, EPOCH:SEQ; default head
			only?: Rung[]; // as for connect
	  }
	| { type: "close" }
	| { type: "survey" } // find out what gets through from here to the server
	| { type: "forget" } // all that is kept in this browser
	| { type: "past"; stream: string /* its name */; epoch: string; seq: number } // what the device kept is wanted, behind this sample; epoch "": as far back as it goes
	| { type: "pull" } // the page's requestAnimationFrame: send what is there
	| { type: "rtc.offer"; attempt: number; sdp: string }
	| { type: "rtc.candidate"; attempt: number; candidate: string; mid: string }
	| { type: "rtc.channels"; attempt: number; channels: RTCDataChannel[] /* transferred */ }
	| { type: "rtc.state"; attempt: number; state: RTCPeerConnectionState; pair?: Pair }
	| { type: "rtc.failed"; attempt: number; reason: string };

/** FromWorker is what the engine says to the page. */
export type FromWorker =
	| FromControl
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
	| { type: "gap"; stream: number; epoch: string; from: number; to: number | null; reason: string; restored?: boolean }
	| { type: "past.done" } // all that was asked for of the past has come
	| { type: "archive"; problem: string } // why Events are not kept over a reload; "": they are
	| { type: "path"; path: PathInfo } // 4 a second, and when the rung changes
	| { type: "carried"; carried: Carried | null } // for the next visit on this network; null: there is nothing to know
	| { type: "survey"; job: SurveyJob } // for the page's half, which answers with
	| { type: "network"; findings: Finding[]; over: boolean } // each time more is known
	| { type: "rtc.create"; attempt: number; config: RTCConfiguration }
	| { type: "rtc.answer"; attempt: number; sdp: string }
	| { type: "rtc.candidate"; attempt: number; candidate: string; mid: string }
	| { type: "rtc.close"; attempt: number }
	| { type: "rtc.untransferable" }; // channels do not arrive in this Worker: the engine has to run on the page

/** SurveyJob is what a survey of the network needs to know. */
export interface SurveyJob {
	url: string; // of the link, http(s)://…/v1/link
	token: string;
	stun: string | null; // the server's own STUN URL; null: it has none
	local: boolean; // the server is on this computer
	servers: TurnServer[] | null; // null: it could not be asked
}

/** Finding is what a survey says of one way: of a rung, or of the NAT that is on the way. */
export interface Finding {
	name: "nat" | "relay-udp" | "relay-tcp" | "turn-udp" | "turn-tcp" | "turn-tls";
	verdict: "ok" | "failed" | "unknown" | "trying";
	note: string; // what was seen, or why nothing is known
	ms: number | null;
	failure?: Failure; // failed: under which name, and what to do
}

/** StreamInfo describes one stream (section 6.3). */
export interface StreamInfo {
	id: number;
	name: string;
	class: Class;
	deadlineMs: number | null;
	meta: Meta;
}

/**
 * Part says where one batch of one stream lies in a samples message: n sequence
 * numbers at data[seq], n times at data[t] (ms since the Unix epoch, the
 * device's clock), n numbers at data[v] (bools as 0 and 1; of bytes how many
 * there are, which is all that a chart shows; −1: none), n texts at texts[text]
 * (−1: none).
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
	restored: boolean; // came before this page was loaded, and was kept in this browser
	rung?: Rung; // the best on which it had come when it was sent; absent: it came with no frame of its own from the device
	past?: true; // comes from the device's spool: of earlier than what is here, or missing in it
}
