import { fitsRequest } from "../carrier/subprotocol";
import { type Device, type FromViewer, formatEpoch, type Stream, type ToViewer } from "../signal";
import type { Direct } from "./direct";
import { usable } from "./kind";
import type { ConnOptions } from "./options";
import type { Past } from "./past";
import type { Paths } from "./paths";
import type { Relay } from "./relay";
import type { Refused, Standing } from "./standing";
import type { Streams } from "./streams";
import type { Tails } from "./tails";

/** What a device may say on a direct path: there it cannot speak for the server, which checks the rest (section 6.3). */
const DIRECT_SIGNALS: ReadonlySet<ToViewer["type"]> = new Set(["describe", "retry", "bye"]);

type Accept = Extract<ToViewer, { type: "accept" }>;

/** Parts are those of a Conn that signals are about. */
export interface Parts {
	standing: Standing;
	streams: Streams;
	past: Past;
	tails: Tails;
	paths: Paths;
	relay: Relay;
	direct: Direct;
}

/** Signaling is how a Conn asks for its device, and what it hears of it. */
export class Signaling {
	private joined = false; // the device has accepted, and nobody was told yet
	private epoch = 0; // that the device accepted with last
	private revision = 0; // in epoch: the descriptions up to it are here
	private rides = 0; // the attempt whose offer is in the open that the link's request carries; 0: none's

	constructor(
		private readonly id: string, // of the Conn
		private readonly options: ConnOptions,
		private readonly parts: Parts,
	) {}

	/** openForRequest is an open for the link's first request. An offer that is there rides in it: it is with the device a round trip sooner. */
	openForRequest(): FromViewer {
		const open = this.open();
		const offer = this.parts.direct.untold();
		const whole = offer === null ? open : { ...open, offer };
		const rides = offer !== null && fitsRequest(whole);
		this.rides = rides ? offer.attempt : 0;
		return rides ? whole : open;
	}

	/** linkUp asks on a new link; asked: its first request did so. */
	linkUp(asked: boolean): void {
		const { standing, direct } = this.parts;
		const now = this.options.env.now();
		standing.opening.restart(now);
		if (asked) standing.opening.sent(now);
		else this.ask();
		direct.announce(true, asked ? this.rides : 0);
	}

	linkDown(): void {
		const { relay, standing, direct } = this.parts;
		relay.link = null;
		standing.opening.pause();
		direct.announce(false);
		this.relayDown();
	}

	ask(): void {
		const { relay, standing } = this.parts;
		if (relay.link === null)
			standing.opening.pause(); // the next link asks
		else if (relay.link.signal(this.open())) standing.opening.sent(this.options.env.now());
	}

	/** askUnknown: something came that nobody described, so that not all descriptions are here. */
	askUnknown(): void {
		this.revision = 0;
		this.parts.standing.opening.again(this.options.env.now());
	}

	/** tellJoined waits until there is a path to answer on. */
	tellJoined(): void {
		if (!this.joined) return;
		this.joined = false;
		this.options.events.onJoined();
	}

	/** hear takes a signal that came on a path; null: it is of a later version. */
	hear(path: number, message: ToViewer | null, direct: boolean): void {
		const { parts, options } = this;
		options.env.debug("conn: signal", message);
		if (message === null || (direct && !DIRECT_SIGNALS.has(message.type))) return;
		switch (message.type) {
			case "opened":
				parts.direct.tell(usable(message.servers, options.only ?? []));
				this.presence(message.device, false);
				break;
			case "state":
				this.presence(message.device, true);
				break;
			case "refused":
				this.refuse(message);
				break;
			case "accept":
				this.accept(message);
				break;
			case "describe":
				this.describe(message.epoch, message.streams);
				if (message.epoch === this.epoch && message.revision > 0) this.revision = message.revision;
				break;
			case "answer":
				parts.direct.answered(message.attempt, message.sdp);
				break;
			case "candidate":
				parts.direct.candidate(message.attempt, message.candidate, message.mid);
				break;
			case "retry":
				parts.paths.heard(path);
				parts.direct.retry(message.turned ? "turned" : "direct");
				break;
			case "bye":
				parts.streams.bye(options.env.now(), message.final);
				break;
		}
	}

	/** open is the signal that opens the Conn, or opens it again. */
	private open(): Extract<FromViewer, { type: "open" }> {
		const { device, want, from } = this.options;
		const positions = this.parts.streams.positions();
		return {
			type: "open",
			device,
			id: this.id,
			want,
			from,
			...(this.epoch === 0 ? {} : { epoch: formatEpoch(this.epoch) }),
			...(this.revision === 0 ? {} : { revision: this.revision }),
			...(Object.keys(positions).length > 0 ? { positions } : {}),
		};
	}

	private presence(device: Device, changed: boolean): void {
		const { env, events } = this.options;
		const change = this.parts.standing.presence(env.now(), device, changed);
		if (change === "away") this.relayDown();
		if (change === "renewed") this.parts.direct.fresh();
		events.onDevice(device);
	}

	private refuse({ code, reason, remedy, candidates }: Refused): void {
		const { env, events } = this.options;
		const refused = { code, reason, remedy, candidates };
		this.parts.standing.refuse(env.now(), refused, env.random);
		this.relayDown();
		events.onRefused(refused);
	}

	private accept({ id, epoch, ...can }: Accept): void {
		const { standing, direct, past, streams, tails, relay } = this.parts;
		if (id !== this.id || !standing.opening.asked) return; // not asked since the session is new: it accepts what is over
		if (epoch !== this.epoch) this.revision = 0;
		this.epoch = epoch;
		const first = !standing.opening.accepted;
		if (first) {
			direct.accepted();
			tails.brings(this.options.env.now()); // while the device was not there nobody waited in vain
		}
		standing.accept(can);
		past.accepted(can.history, epoch);
		streams.keeps = can.history;
		if (can.relayed) direct.giveUp();
		relay.accepted();
		this.joined ||= first;
	}

	private describe(epoch: number, described: Stream[]): void {
		const { streams, past, tails } = this.parts;
		const now = this.options.env.now();
		streams.describe(now, epoch, described);
		const list = streams.list();
		this.options.events.onStreams(list.epoch, list.streams);
		streams.begin(now);
		if (tails.size > 0) past.cutOff();
		past.described(list.epoch, list.streams);
	}

	private relayDown(): void {
		this.parts.relay.down();
		this.parts.standing.opening.accepted = false;
	}
}
