import { RtcCarrier } from "../carrier/rtc";
import type { Env } from "../env";
import type { Rung } from "../ladder";
import type { FromViewer } from "../signal";
import { FAILURES } from "../words";
import { Attempts } from "./attempts";
import type { Paths } from "./paths";

/** Assistant is the page's half: it has the RTCPeerConnections. */
export interface Assistant {
	/** number makes the number of the next attempt; they rise. */
	number(this: void): number;
	create(attempt: number): void;
	answer(attempt: number, sdp: string): void;
	candidate(attempt: number, candidate: string, mid: string): void;
	close(attempt: number): void;
}

/** DirectOptions connect an attempt's three sides: the page, the server, the Conn. */
export interface DirectOptions {
	env: Env;
	paths: Paths;
	assistant: Assistant;
	/** signal sends a signal of this Conn through the server. */
	signal(message: FromViewer): void;
	onPacket(path: number, packet: Uint8Array): void;
	/** something happened that the Conn should look at. */
	onChange(): void;
}

/** Build is what one attempt has gathered so far. */
interface Build {
	carrier: RtcCarrier | null;
	path: number; // 0: its channels are not open yet
	pair: string | null;
	rung: Rung;
	told: FromViewer[]; // offer and candidates that wait for the server to know the Conn
}

/** Offers and candidates kept while the server cannot be told; more are no help. */
const MAX_TOLD = 32;

/** Direct makes data-channel connections to the device and replaces those that die. */
export class Direct {
	readonly attempts: Attempts;
	private readonly builds = new Map<number, Build>();
	private announced = false;
	/** Without these nothing can be built: a link, and a device on the other side of it. */
	private possible = true;

	constructor(private readonly options: DirectOptions) {
		this.attempts = new Attempts(options.assistant.number);
	}

	/** announce says whether the server knows this Conn now and may be given offers. */
	announce(on: boolean): void {
		this.announced = on;
		if (on) for (const build of this.builds.values()) this.flush(build);
	}

	/** allow says whether attempts make sense. */
	allow(possible: boolean): void {
		this.possible = possible;
	}

	/** giveUp: the device has no direct paths, so what was begun leads nowhere. */
	giveUp(): void {
		for (const number of [...this.builds.keys()]) this.fail(number, FAILURES.relayed);
	}

	/** fresh: the device is a new session, its earlier failures tell nothing. */
	fresh(): void {
		this.attempts.fresh(this.options.env.now());
	}

	/** nudge ends pauses. On another network what is being made began on the old one, and what stands gets a successor. */
	nudge(changed: boolean): void {
		const making = changed ? this.attempts.making() : undefined;
		if (making !== undefined) this.fail(making.number, FAILURES.network);
		this.attempts.fresh(this.options.env.now());
		if (changed) this.attempts.replace();
	}

	/** step begins and ends attempts whose time has come, and says when to call it again. */
	step(): number {
		const now = this.options.env.now();
		const expired = this.attempts.expired(now);
		if (expired !== 0) this.fail(expired, this.announced ? FAILURES.timeout : FAILURES.noLink);
		const number = this.possible ? this.attempts.start(now) : 0;
		if (number !== 0) this.begin(number);
		return this.possible || this.attempts.making() !== undefined ? this.attempts.wake() : Infinity;
	}

	/** replace asks for a successor of a path, if it is one of these. */
	replace(path: number): void {
		if (this.find(path) !== null) this.attempts.replace();
	}

	/** proved: the path works both ways, older ones are not needed any more. */
	proved(path: number): void {
		const number = this.find(path);
		if (number === null) return;
		for (const older of this.attempts.proved(number)) this.drop(older);
	}

	/** retry is the device's request for a new attempt. */
	retry(): void {
		this.attempts.replace();
	}

	// What the page says.

	offered(number: number, sdp: string): void {
		this.tell(number, { type: "offer", attempt: number, sdp });
	}

	found(number: number, candidate: string, mid: string): void {
		this.tell(number, { type: "candidate", attempt: number, candidate, mid });
	}

	channels(number: number, channels: RTCDataChannel[]): void {
		const build = this.builds.get(number);
		if (build === undefined) {
			for (const channel of channels) channel.close();
			return;
		}
		const packet = (data: Uint8Array) => this.options.onPacket(build.path, data);
		build.carrier = new RtcCarrier(channels, {
			onOpen: () => this.opened(number),
			onPacket: packet,
			onClosed: () => this.failNow(number, FAILURES.closed),
		});
	}

	state(
		number: number,
		state: RTCPeerConnectionState,
		pair: { local: string; remote: string; rung: Rung } | null,
	): void {
		const build = this.builds.get(number);
		if (build === undefined) return;
		if (pair !== null) {
			build.pair = `${pair.local} ↔ ${pair.remote}`;
			build.rung = pair.rung;
			if (build.path !== 0) this.options.paths.rerung(build.path, pair.rung);
		}
		if (state === "failed") this.failNow(number, FAILURES.ice);
		else if (state === "closed") this.failNow(number, FAILURES.closed);
	}

	failNow(number: number, reason: string): void {
		this.fail(number, reason);
		this.options.onChange();
	}

	// What the device says, through the server.

	answered(number: number, sdp: string): void {
		if (this.builds.has(number)) this.options.assistant.answer(number, sdp);
	}

	candidate(number: number, candidate: string, mid: string): void {
		if (this.builds.has(number)) this.options.assistant.candidate(number, candidate, mid);
	}

	/** pair is the candidate pair of a path, in words. */
	pair(path: number): string | null {
		const number = this.find(path);
		return number === null ? null : (this.builds.get(number)?.pair ?? null);
	}

	dispose(): void {
		for (const number of this.builds.keys()) this.drop(number);
	}

	private begin(number: number): void {
		this.builds.set(number, { carrier: null, path: 0, pair: null, rung: "udp", told: [] });
		this.options.env.debug("direct: attempt", number);
		this.options.assistant.create(number);
	}

	private opened(number: number): void {
		const build = this.builds.get(number);
		if (build === undefined || build.carrier === null) return;
		this.attempts.opened(number);
		build.path = this.options.paths.up(build.rung, build.carrier);
		this.options.onChange();
	}

	private fail(number: number, reason: string): void {
		this.options.env.debug("direct: attempt", number, "failed:", reason);
		this.attempts.failed(this.options.env.now(), number, reason);
		this.drop(number);
	}

	private drop(number: number): void {
		const build = this.builds.get(number);
		if (build === undefined) return;
		this.builds.delete(number);
		build.carrier?.close();
		if (build.path !== 0) this.options.paths.down(build.path);
		this.options.assistant.close(number);
	}

	private tell(number: number, message: FromViewer): void {
		const build = this.builds.get(number);
		if (build === undefined) return;
		if (build.told.length < MAX_TOLD) build.told.push(message);
		if (this.announced) this.flush(build);
	}

	private flush(build: Build): void {
		for (const message of build.told.splice(0)) this.options.signal(message);
	}

	private find(path: number): number | null {
		for (const [number, build] of this.builds) if (build.path === path) return number;
		return null;
	}
}
