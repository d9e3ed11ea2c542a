import type { Env } from "../env";
import { failure } from "../failures";
import { nextFrame, Reader, TYPE_SIGNAL } from "../wire";
import { endingOf } from "./answer";
import { transportOf, withCandidates } from "./candidate";
import type { ChannelRung, Ending, LinkCarrier, LinkCarrierEvents, LinkRequest } from "./link-carrier";
import type { Pair } from "./pair";
import { RtcCarrier } from "./rtc";

/** The channels are open within this time, in ms, or never. */
const OPEN_WITHIN = 10_000;
/** Which way the packets take is asked of the browser; what comes waits for the answer, but no longer than this, in ms. */
const PAIR_WITHIN = 500;
/** What is queued when a link is closed is sent within this time, in ms. */
const GOODBYE = 200;

/** Introducer is the page's half: it has the RTCPeerConnection. */
export interface Introducer {
	answer(sdp: string): void;
	close(): void;
}

/** Allowed are the rungs that may come of an opening. */
export interface Allowed {
	udp: boolean;
	tcp: boolean;
}

/**
 * ChannelLink is a link over data channels to the server itself (section 6.10).
 * The page makes an offer and gives the channels; the server's answer to a plain
 * request says where they lead.
 */
export class ChannelLink implements LinkCarrier {
	readonly opened = false; // the open follows the welcome
	readonly concern = null; // nothing stands between that could do half a thing
	private carrier: RtcCarrier | null = null;
	private channelsOpen = false;
	private pair: Pair | null = null;
	private waiting: Uint8Array[] | null = []; // packets that came before the pair was known
	private over = false;
	private readonly abort = new AbortController();
	private cancelLate: () => void;
	private cancelPair: () => void = () => undefined;

	constructor(
		private readonly request: LinkRequest,
		private readonly allowed: Allowed,
		private readonly page: Introducer,
		private readonly events: LinkCarrierEvents,
		private readonly env: Env,
	) {
		this.cancelLate = env.later(OPEN_WITHIN, () => this.blocked());
	}

	get rung(): ChannelRung {
		if (this.pair !== null) return this.pair.rung === "tcp" ? "relay-tcp" : "relay-udp";
		return this.allowed.udp ? "relay-udp" : "relay-tcp";
	}

	/** words are the addresses in use; null: not known. */
	get words(): string | null {
		return this.pair === null ? null : `${this.pair.local} ↔ ${this.pair.remote}`;
	}

	send(frame: Uint8Array): boolean {
		if (this.over || this.carrier === null) return false;
		return this.carrier.send(nextFrame(new Reader(frame)).type === TYPE_SIGNAL ? "reliable" : "brief", frame);
	}

	queueBytes(): number {
		return this.carrier?.queueBytes() ?? 0;
	}

	close(): void {
		if (this.over) return;
		this.end();
		this.carrier?.close();
		this.env.later(GOODBYE, () => this.page.close());
	}

	// What the page says.

	offered(sdp: string): void {
		void this.ask(sdp);
	}

	channels(channels: RTCDataChannel[]): void {
		this.carrier = new RtcCarrier(
			channels,
			{
				onOpen: () => this.opens(),
				onPacket: (packet) => this.packet(packet),
				onClosed: () => this.fail({ failure: failure("cut") }),
			},
			this.env,
		);
	}

	state(state: RTCPeerConnectionState, pair: Pair | null): void {
		if (pair !== null) {
			this.pair = pair;
			this.release();
		}
		if (state === "failed" && !this.channelsOpen) this.blocked();
		else if (state === "failed" || state === "closed") this.fail({ failure: failure("cut") });
	}

	failed(reason: string): void {
		this.fail({ failure: { ...failure("relay-blocked"), reason } });
	}

	private async ask(offer: string): Promise<void> {
		const { url, token } = this.request;
		const headers: Record<string, string> = { "Content-Type": "application/sdp" };
		if (token !== "") headers.Authorization = `Bearer ${token}`;
		try {
			const { signal } = this.abort;
			const response = await fetch(`${url}/rtc`, {
				method: "POST",
				headers,
				body: offer,
				signal,
				cache: "no-store",
				credentials: "omit",
				redirect: "error",
			});
			if (response.status !== 201) this.fail(await endingOf(response));
			else this.answered(await response.text());
		} catch {
			this.fail({ failure: failure("unanswered") });
		}
	}

	private answered(answer: string): void {
		if (!this.over) this.page.answer(this.filtered(answer));
	}

	/** filtered leaves out the candidates of a rung that is not allowed. */
	private filtered(answer: string): string {
		return withCandidates(answer, (c) => (transportOf(c) === "tcp" ? this.allowed.tcp : this.allowed.udp));
	}

	private opens(): void {
		this.channelsOpen = true;
		this.cancelLate();
		this.events.onOpen();
		if (this.pair !== null) this.release();
		else this.cancelPair = this.env.later(PAIR_WITHIN, () => this.release());
	}

	private packet(packet: Uint8Array): void {
		if (this.over || packet.length === 0) return;
		if (this.waiting === null) this.events.onPacket(packet);
		else this.waiting.push(packet); // of a server that has said its first words, and waits
	}

	/** release hands over what waited for the pair. */
	private release(): void {
		if (!this.channelsOpen) return;
		this.cancelPair();
		const waiting = this.waiting ?? [];
		this.waiting = null;
		for (const packet of waiting) if (!this.over) this.events.onPacket(packet);
	}

	private blocked(): void {
		this.fail({ failure: failure(this.allowed.tcp ? "relay-blocked" : "udp-blocked") });
	}

	private fail(ending: Ending): void {
		if (this.over) return;
		this.end();
		this.carrier?.close();
		this.page.close();
		this.events.onOver(ending);
	}

	private end(): void {
		this.over = true;
		this.abort.abort();
		this.cancelLate();
		this.cancelPair();
	}
}
