import type { Failure } from "../failures";
import type { Rung } from "../ladder";
import type { Refusal } from "../signal";

/** LINK_RUNGS are the rungs of links that need no more than HTTP, best first: a link begins on one of them. */
export const LINK_RUNGS = ["ws", "sse", "poll"] as const satisfies readonly Rung[];
/** CHANNEL_RUNGS are those of links over data channels to the server, best first. */
export const CHANNEL_RUNGS = ["relay-udp", "relay-tcp"] as const satisfies readonly Rung[];

export type HttpRung = (typeof LINK_RUNGS)[number];
export type ChannelRung = (typeof CHANNEL_RUNGS)[number];
export type LinkRung = HttpRung | ChannelRung;

/** onChannels tells a link over data channels from one over HTTP. */
export function onChannels(rung: string): rung is ChannelRung {
	return (CHANNEL_RUNGS as readonly string[]).includes(rung);
}

/** isLinkRung tells a rung of the relay, which a link makes, from one of a data-channel connection to the device. */
export function isLinkRung(rung: string): rung is LinkRung {
	return onChannels(rung) || (LINK_RUNGS as readonly string[]).includes(rung);
}

/**
 * LinkCarrier is a link's way to the server: it moves packets, each whole and
 * in order, and is over at the first that it cannot. The suite in contract.testing.ts
 * is what all of them keep.
 */
export interface LinkCarrier {
	/** rung is what it is on now: of data channels, another one when the browser has found a better pair of candidates. */
	readonly rung: LinkRung;
	/** opened: the request carries the open signal that it was given. */
	readonly opened: boolean;
	/** concern is what is wrong with it though it works; null: nothing that is known. */
	readonly concern: Failure | null;
	/** send hands over one whole frame, which is not changed afterwards; false: there is no way (any more). */
	send(frame: Uint8Array): boolean;
	/** queueBytes is what waits here and in the browser to be sent. */
	queueBytes(): number;
	/** close ends it: what is queued is still sent and the server is told, where that takes no longer than a moment. Nothing is called back afterwards. */
	close(): void;
}

/** LinkCarrierEvents are called at any time until close, never from within the call that makes the carrier. */
export interface LinkCarrierEvents {
	/** the server has taken the request: what comes next proves the way. */
	onOpen(): void;
	/** packet is never empty and belongs to who is called. */
	onPacket(packet: Uint8Array): void;
	/** it is over; nothing else is called afterwards. */
	onOver(ending: Ending): void;
}

/** Ending is why a carrier is over: the server said so, or the way failed. */
export type Ending = { refusal: Refusal } | { failure: Failure };

/** LinkRequest is what a carrier asks the server for. */
export interface LinkRequest {
	url: string; // of the link, http(s)://…/v1/link
	token: string; // "": none
	open: object | null; // the open signal for the first request
}

/** A carrier that opened and brings nothing for so long, in ms, is not what it seems. */
export const MUTE_AFTER = 2_000;
