// What a Conn needs of those around it, and what it tells them.

import type { Carrier } from "../carrier/carrier";
import type { LinkRung } from "../carrier/link-carrier";
import type { Env } from "../env";
import type { Rung } from "../ladder";
import type { LinkStanding } from "../link/standing";
import type { Device, FromViewer, Stream } from "../signal";
import type { Header, Tick } from "../wire";
import type { Assistant } from "./direct";
import type { PastBatch } from "./past";
import type { Refused } from "./standing";
import type { Received, Resume, StreamsEvents } from "./streams";

/** ConnLink is the link as one Conn has it, from the server's welcome to the link's end. */
export interface ConnLink {
	/** rung is the link's now: a browser may find a better pair of candidates under data channels that stand. */
	readonly rung: LinkRung;
	/** carrier makes a carrier to the device, on this link. */
	carrier(): Carrier;
	/** signal sends a signal of this Conn to the server. */
	signal(message: FromViewer): boolean;
}

export interface ConnEvents extends Pick<StreamsEvents, "onGap" | "onStart" | "onFinal"> {
	/** a batch, and the rung it came on; null: of none, for it came before, or from the server. */
	onBatch(batch: Received, rung: Rung | null): void;
	/** samples came that brought nothing: most came before, on another path or on this one. */
	onCopy(header: Header, rung: Rung): void;
	onDevice(device: Device): void;
	onRefused(refused: Refused): void;
	onStreams(epoch: number, streams: Stream[]): void;
	/** a batch of what the device kept; onPastDone: for now that was all. */
	onPast(batch: PastBatch): void;
	onPastDone(): void;
	/** roomForPast says whether more of it can be taken now. */
	roomForPast(): boolean;
	/** the device has accepted the Conn: on a new link, or in a new session. */
	onJoined(): void;
	/** another rung is the best one, or the first is, or there is none any more. */
	onRung(): void;
	/** what the device's monotonic clock showed. */
	onTick(tick: Tick): void;
	/** an Outcome's JSON, which throws a FormatError where it cannot be read. */
	onOutcome(body: Uint8Array): void;
}

export interface ConnOptions {
	env: Env;
	device: string; // name or id
	want: string[]; // globs
	from: string; // head, start or EPOCH:SEQ
	resumes?: readonly Resume[]; // how far Event streams got in an earlier life of this viewer
	/** only these rungs are used; none or absent: all. */
	only?: readonly Rung[];
	/** standing says how a rung of the link is, for the drawer. */
	standing(rung: LinkRung): LinkStanding;
	events: ConnEvents;
	assistant: Assistant;
	/** a direct path does not answer in time: the link may have gone with it. */
	onSuspect(): void;
	/** newestTime reads the time of a batch's last sample, µs on the device's clock; null: it has none. */
	newestTime(payload: Uint8Array, count: number): number | null;
}
