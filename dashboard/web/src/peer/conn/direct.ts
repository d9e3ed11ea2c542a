import { isListening, transportOf, withCandidates } from "../carrier/candidate";
import { RtcCarrier } from "../carrier/rtc";
import type { Env } from "../env";
import type { Rung } from "../ladder";
import type { FromViewer, Offer, TurnServer } from "../signal";
import { FAILURES } from "../words";
import { Attempts } from "./attempts";
import { KINDS, type Kind, UDP_RUNG, usable } from "./kind";
import type { Paths } from "./paths";
import { Turns } from "./turns";

/** Assistant is the page's half: it has the RTCPeerConnections. */
export interface Assistant {
	/** number makes the number of the next attempt; they rise. */
	number(this: void): number;
	/** create makes a connection: a turned one through these servers, or a direct one. */
	create(attempt: number, through: TurnServer[] | null): void;
	answer(attempt: number, sdp: string): void;
	candidate(attempt: number, candidate: string, mid: string): void;
	close(attempt: number): void;
}

/** DirectOptions connect an attempt's three sides: the page, the server, the Conn. */
export interface DirectOptions {
	env: Env;
	paths: Paths;
	assistant: Assistant;
	/** may says whether a rung may carry. */
	may(rung: Rung): boolean;
	/** signal sends a signal of this Conn through the server. */
	signal(message: FromViewer): void;
	/** the TURN servers' credentials are old: the server should tell them again. */
	onStale(): void;
	onPacket(path: number, packet: Uint8Array): void;
	/** something happened that the Conn should look at. */
	onChange(): void;
}

/** Build is what one attempt has gathered so far. */
interface Build {
	readonly kind: Kind;
	carrier: RtcCarrier | null;
	path: number; // 0: its channels are not open yet
	pair: string | null;
	rung: Rung;
	relayed: boolean; // a TURN server has given an address
	dials: boolean; // to where the device listens over TCP
	told: FromViewer[]; // offer and candidates, kept to be told again
	sent: number; // so many of told are on their way
	answered: boolean; // the device's description has come
	tried: number; // of the device's candidates
}

/** Offers and candidates kept for the server; more are no help. */
const MAX_TOLD = 32;

/**
 * How many of the device's candidates are tried in one attempt. Each is tried with each of ours: a description of a
 * thousand would make us scan a network for its author.
 */
const MAX_CANDIDATES = 20;

/**
 * How long after a direct attempt one begins that is to bring a turned connection from TCP to UDP, in ms: on a narrow
 * way, descriptions of both hold up what is fresh.
 */
const APART = 3_000;

/** Direct makes data-channel connections to the device, of both kinds, and replaces those that die. */
export class Direct {
	private readonly byKind: Record<Kind, Attempts>;
	private readonly builds = new Map<number, Build>();
	private readonly turns = new Turns();
	private announced = false;
	private acceptedAt = 0; // by the device, on the link there is
	private listening = false;
	/** Without these nothing can be built: a link, and a device on the other side of it. */
	private readonly possible: Record<Kind, boolean> = { direct: true, turned: false };

	constructor(private readonly options: DirectOptions) {
		const { number } = options.assistant;
		this.byKind = { direct: new Attempts(number), turned: new Attempts(number) };
	}

	/** attempts of a kind. */
	attempts(kind: Kind): Attempts {
		return this.byKind[kind];
	}

	/** servers are the TURN servers that may be used. */
	get servers(): readonly TurnServer[] {
		return this.turns.servers;
	}

	/** works says whether a connection of a kind is proven and answers. */
	works(kind: Kind): boolean {
		return [...this.builds.values()].some((b) => b.kind === kind && this.options.paths.works(b.path));
	}

	/** listens says whether the device has told where it takes TCP connections. */
	get listens(): boolean {
		return this.listening;
	}

	/**
	 * announce says whether the server knows this Conn now and may be given offers; rode: the attempt whose offer it has, 0: none's.
	 * What was not answered may be lost with the link before.
	 */
	announce(on: boolean, rode = 0): void {
		this.announced = on;
		for (const [number, build] of this.builds) {
			if (!build.answered) build.sent = number === rode ? 1 : 0;
			if (on) this.flush(build);
		}
	}

	/** offering says whether a direct connection is being made whose offer is not there yet. */
	get offering(): boolean {
		return this.unanswered()?.told.length === 0;
	}

	/** untold is the offer of a direct connection that the device may not have; null: there is none. */
	untold(): Offer | null {
		const offer = this.unanswered()?.told[0];
		return offer?.type === "offer" ? { attempt: offer.attempt, sdp: offer.sdp } : null;
	}

	/** allow says whether attempts of a kind make sense. */
	allow(kind: Kind, possible: boolean): void {
		this.possible[kind] = possible;
	}

	/** tell: these are the TURN servers from now on. */
	tell(servers: TurnServer[]): void {
		this.turns.tell(this.options.env.now(), servers);
	}

	/** accepted: the device is there; a direct connection has its time from now on. */
	accepted(): void {
		this.acceptedAt = this.options.env.now();
		this.turns.lack(this.acceptedAt);
	}

	/** giveUp: the device has no direct paths, so what was begun leads nowhere. */
	giveUp(): void {
		for (const number of [...this.builds.keys()]) this.fail(number, FAILURES.relayed);
	}

	/** fresh: the device is a new session, its earlier failures tell nothing. */
	fresh(): void {
		this.listening = false;
		for (const kind of KINDS) this.byKind[kind].fresh(this.options.env.now());
	}

	/** nudge ends pauses. On another network what is being made began on the old one, and what stands gets a successor. */
	nudge(changed: boolean): void {
		for (const kind of KINDS) {
			const attempts = this.byKind[kind];
			const making = changed ? attempts.making() : undefined;
			if (making !== undefined) this.fail(making.number, FAILURES.network);
			attempts.fresh(this.options.env.now());
			if (changed) attempts.replace();
		}
	}

	/** step begins and ends attempts whose time has come, and says when to call it again. */
	step(): number {
		const now = this.options.env.now();
		const spare = this.turns.stand(now, this.works("direct"));
		if (spare === "over") this.dropAll("turned");
		return Math.min(...KINDS.map((kind) => this.stepOf(kind, now)), spare === "over" ? Infinity : spare);
	}

	/** replace asks for a successor of a path, if it is one of these. */
	replace(path: number): void {
		const found = this.find(path);
		if (found !== null) this.byKind[found.build.kind].replace();
	}

	/** proved: the path works both ways, older ones of its kind are not needed for long any more. */
	proved(path: number): void {
		const found = this.find(path);
		if (found !== null) this.byKind[found.build.kind].proved(this.options.env.now(), found.number);
	}

	/** retry is the device's request for a new attempt. */
	retry(kind: Kind): void {
		this.byKind[kind].ask();
	}

	// What the page says.

	offered(number: number, sdp: string): void {
		const turned = this.builds.get(number)?.kind === "turned" ? { turned: true as const } : {};
		this.say(number, { type: "offer", attempt: number, sdp, ...turned });
	}

	found(number: number, candidate: string, mid: string): void {
		const build = this.builds.get(number);
		if (build === undefined || !this.tells(build, candidate)) return;
		if (/ typ relay\b/.test(candidate)) build.relayed = true;
		this.say(number, { type: "candidate", attempt: number, candidate, mid });
	}

	channels(number: number, channels: RTCDataChannel[]): void {
		const build = this.builds.get(number);
		if (build === undefined) {
			for (const channel of channels) channel.close();
			return;
		}
		const packet = (data: Uint8Array) => this.options.onPacket(build.path, data);
		build.carrier = new RtcCarrier(
			channels,
			{
				onOpen: () => this.opened(number),
				onPacket: packet,
				onClosed: () => this.failNow(number, FAILURES.closed),
			},
			this.options.env,
		);
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
			if (pair.rung !== UDP_RUNG[build.kind]) this.byKind[build.kind].putOff(this.options.env.now()); // one over UDP comes later
			if (build.path !== 0) this.options.paths.rerung(build.path, pair.rung);
		}
		if (state === "failed") this.failNow(number, this.stuck(build, FAILURES.ice));
		else if (state === "closed") this.failNow(number, FAILURES.closed);
	}

	failNow(number: number, reason: string): void {
		this.fail(number, reason);
		this.options.onChange();
	}

	// What the device says, through the server.

	answered(number: number, sdp: string): void {
		const build = this.builds.get(number);
		if (build === undefined || build.answered) return; // over, or answered twice because the offer was sent twice
		build.answered = true;
		this.options.assistant.answer(
			number,
			withCandidates(sdp, (candidate) => this.takes(build, candidate)),
		);
	}

	candidate(number: number, candidate: string, mid: string): void {
		const build = this.builds.get(number);
		if (build !== undefined && this.takes(build, candidate)) this.options.assistant.candidate(number, candidate, mid);
	}

	/** pair is the candidate pair of a path, in words. */
	pair(path: number): string | null {
		return this.find(path)?.build.pair ?? null;
	}

	dispose(): void {
		for (const number of this.builds.keys()) this.drop(number);
	}

	private unanswered(): Build | undefined {
		const number = this.byKind.direct.making()?.number ?? 0;
		const build = this.builds.get(number);
		return build?.answered ? undefined : build;
	}

	private stepOf(kind: Kind, now: number): number {
		const attempts = this.byKind[kind];
		for (const older of attempts.replaced(now)) this.drop(older);
		const expired = attempts.expired(now);
		if (expired !== 0) this.fail(expired, this.late(expired));
		if (this.lost(kind)) attempts.replace();
		const from = kind === "turned" ? this.turnedFrom(now) : 0;
		if (this.lacksUDP(kind)) attempts.replace();
		const number = this.possible[kind] && now >= from ? attempts.start(now) : 0;
		if (number !== 0) this.begin(kind, number);
		const soon = attempts.replacedAt();
		if (attempts.making() !== undefined) return Math.min(soon, attempts.wake());
		return Math.min(soon, this.possible[kind] ? Math.max(attempts.wake(), from) : Infinity);
	}

	/**
	 * lost says whether the newest connection of a kind has been silent since before the device
	 * accepted us on the link there is: what took the link that was before, such as a new
	 * address, has taken both, and the connection will not come back.
	 */
	private lost(kind: Kind): boolean {
		const newest = [...this.builds.values()].filter((build) => build.kind === kind).at(-1);
		return newest !== undefined && this.options.paths.lost(newest.path, this.acceptedAt);
	}

	/** turnedFrom is when a turned connection may begin; Infinity: not before something changes. */
	private turnedFrom(now: number): number {
		const { turns } = this;
		const begun = this.byKind.direct.making()?.since;
		if (begun !== undefined && now < begun + APART && this.lacksUDP("turned")) return begun + APART;
		if (this.works("direct") || turns.servers.length === 0 || this.byKind.turned.nextAt() === Infinity) return Infinity;
		if (turns.from > now || !turns.stale(now)) return turns.from;
		this.options.onStale();
		return Infinity; // they are told again: that is a change
	}

	private late(number: number): string {
		if (!this.announced) return FAILURES.noLink;
		const build = this.builds.get(number);
		return build === undefined ? FAILURES.timeout : this.stuck(build, FAILURES.timeout);
	}

	/** lacksUDP: what works of a kind goes over TCP alone, though UDP may carry. */
	private lacksUDP(kind: Kind): boolean {
		const rung = UDP_RUNG[kind];
		if (!this.options.may(rung) || (kind === "turned" && this.overUDP().length === 0)) return false;
		const working = [...this.builds.values()].filter((b) => b.kind === kind && this.options.paths.works(b.path));
		return working.length > 0 && working.every((b) => b.rung !== rung);
	}

	/** overUDP are the TURN servers that are reached over UDP. */
	private overUDP(): TurnServer[] {
		return usable(this.turns.servers, ["turn-udp"]);
	}

	/** takes says whether a candidate of the device is tried, which counts it; "": there are no more. */
	private takes(build: Build, candidate: string): boolean {
		if (candidate === "") return true;
		const takes = build.tried < MAX_CANDIDATES && this.suits(build, candidate);
		if (takes) build.tried++;
		return takes;
	}

	/** suits says whether a candidate of the device belongs to this kind of connection. */
	private suits(build: Build, candidate: string): boolean {
		if (build.kind === "turned") return true;
		if (transportOf(candidate) !== "tcp") return this.options.may("udp");
		if (!isListening(candidate)) return false;
		this.listening = true;
		return build.dials;
	}

	/** tells says whether the device is told of a candidate of ours: of one over TCP it has no use, it sees from where we come. */
	private tells(build: Build, candidate: string): boolean {
		if (candidate === "" || build.kind === "turned") return true;
		return transportOf(candidate) !== "tcp" && this.options.may("udp");
	}

	/** stuck is why nothing got through, which depends on the kind. */
	private stuck(build: Build, direct: string): string {
		if (build.kind === "direct") return this.listening && build.dials ? FAILURES.tcp : direct;
		return build.relayed ? FAILURES.turnNoPath : FAILURES.turnUnreachable;
	}

	private begin(kind: Kind, number: number): void {
		const { may, env } = this.options;
		const rung = kind === "turned" ? "turn-udp" : may("udp") ? "udp" : "tcp";
		const lacking = this.lacksUDP(kind);
		if (lacking) this.byKind[kind].putOff(env.now()); // the next one, until this one is proved
		const dials = may("tcp") && !lacking; // beside what goes over TCP, one over UDP is what is wanted
		this.builds.set(number, {
			kind,
			carrier: null,
			path: 0,
			pair: null,
			rung,
			relayed: false,
			dials,
			told: [],
			sent: 0,
			answered: false,
			tried: 0,
		});
		const excess = this.byKind[kind].excess();
		if (excess !== 0) this.giveAway(kind, excess);
		env.debug("direct: attempt", number, kind);
		const servers = lacking ? this.overUDP() : [...this.turns.servers];
		this.options.assistant.create(number, kind === "turned" ? servers : null);
	}

	private opened(number: number): void {
		const build = this.builds.get(number);
		if (build === undefined || build.carrier === null) return;
		this.byKind[build.kind].opened(number);
		build.path = this.options.paths.up(build.rung, build.carrier);
		this.options.onChange();
	}

	private fail(number: number, reason: string): void {
		const build = this.builds.get(number);
		if (build === undefined) return;
		this.options.env.debug("direct: attempt", number, "failed:", reason);
		this.byKind[build.kind].failed(this.options.env.now(), number, reason);
		this.drop(number);
	}

	private dropAll(kind: Kind): void {
		for (const number of this.byKind[kind].numbers()) this.giveAway(kind, number);
	}

	private giveAway(kind: Kind, number: number): void {
		this.byKind[kind].dropped(number);
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

	private say(number: number, message: FromViewer): void {
		const build = this.builds.get(number);
		if (build === undefined) return;
		if (build.told.length < MAX_TOLD) build.told.push(message);
		if (this.announced) this.flush(build);
	}

	private flush(build: Build): void {
		for (; build.sent < build.told.length; build.sent++) {
			const message = build.told[build.sent];
			if (message !== undefined) this.options.signal(message);
		}
	}

	private find(path: number): { number: number; build: Build } | null {
		for (const [number, build] of this.builds) if (build.path === path && path !== 0) return { number, build };
		return null;
	}
}
