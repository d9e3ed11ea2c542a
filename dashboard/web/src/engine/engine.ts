import type { Archive } from "../archive/events";
import { type Allowed, ChannelLink } from "../peer/carrier/channel-link";
import { isLinkRung, type LinkCarrierEvents, type LinkRequest } from "../peer/carrier/link-carrier";
import { LinkShare } from "../peer/carrier/share";
import { Conn } from "../peer/conn/conn";
import type { Assistant } from "../peer/conn/direct";
import type { ConnLink } from "../peer/conn/options";
import { Alarm, type Env } from "../peer/env";
import type { Line } from "../peer/link/line";
import { Link, type LinkOptions } from "../peer/link/link";
import { type EpochSeq, parseEpoch, type ToViewer, type TurnServer } from "../peer/signal";
import type { Frame } from "../peer/wire";
import type { FromWorker, Rung, ToWorker } from "../port";
import { directConfig, isLocal, stunOf, turnedConfig } from "./ice";
import { Intake } from "./intake";
import { Keeper } from "./keeper";
import { Operate } from "./operate";
import { mutable, Parting, type Place } from "./parting";
import { Presence } from "./presence";

/** The server tells its TURN servers within this time, in ms; one of an older version does not. */
const SERVERS_WITHIN = 1_000;
/** The badge is told this often, in ms, and when the rung changes. */
const PATH_EVERY = 250;
/** The first request waits for the offer that rides in it, for so long, in ms. Making one takes a few. */
const OFFER_PATIENCE = 50;
/** EngineOptions are what differs between a Worker and a page. */
export interface EngineOptions {
	env: Env;
	post(message: FromWorker, transfer?: Transferable[]): void;
	/** archive keeps Events over a reload; null: nothing does. */
	archive: Archive | null;
	why: LinkOptions["why"];
	dial?: NonNullable<LinkOptions["dial"]>;
	/** onPage: it is no Worker; a page that hangs then takes all of it along. Default: it is one. */
	onPage?: boolean;
}

/**
 * Engine is the dashboard behind its page: the link to the server, the list of
 * devices, the Conn to the one that is open, and the samples on their way to
 * the page. It knows nothing of Workers and can run on a page.
 */
export class Engine {
	private readonly link: Link;
	private readonly presence = new Presence();
	private readonly intake: Intake;
	private operate: Operate;
	private conn: Conn | null = null;
	private here: Place | null = null; // of conn, on the link as it is
	private before: Place | null = null; // the same, on the line that was left for it
	private name = ""; // of the open device
	private mute: () => void = () => undefined; // what conn tells, but for control
	private readonly partings = new Set<Parting>(); // devices that were left while a stop was on its way
	private lastNumber = 0;
	private only: Rung[] = []; // rungs that the open device's paths are restricted to; none: all
	private asked: Conn | null = null; // whose open the link's first request carried
	private url = ""; // of the server
	private token = "";
	private cancelSurvey: (() => void) | null = null; // of a survey that waits for the server's word
	private udp: number | null = null; // its port for STUN, as it says; null: it has not said
	private attempts = 0; // made so far, for whichever Conn, and for the link
	private readonly channelLinks = new Map<number, ChannelLink>(); // links over data channels, by attempt
	private cancelPath: (() => void) | null = null;
	private connectNow: (() => void) | null = null; // waits for an offer; null: nothing does
	private readonly waiting: Alarm;
	/** What is being read of the device that is to be opened; null: nothing is. */
	private loading: Promise<void> | null = null;

	constructor(private readonly options: EngineOptions) {
		const { env, post, why, dial, onPage = false } = options;
		this.intake = new Intake(env, post);
		this.operate = new Operate({ env, post, onPage });
		this.waiting = new Alarm(env, () => this.offered());
		this.link = new Link({
			env,
			why,
			...(dial === undefined ? {} : { dial }),
			channels: (...asked) => this.channelLink(...asked),
			opening: () => {
				this.asked = this.conn;
				return this.conn?.openForRequest() ?? null;
			},
			events: {
				onConnecting: () => post({ type: "link", state: "connecting" }),
				onUp: (welcome, line) => this.up(welcome, line),
				onDown: ({ code, reason, remedy }, retryIn) => {
					this.linkDown();
					const retry = retryIn === null ? {} : { retryInMs: retryIn };
					post({ type: "link", state: "closed", code, reason, remedy, ...retry });
				},
				onFrame: (frame, line) => this.frame(frame, line),
				onPacketEnd: () => {
					this.conn?.settle();
					for (const { conn } of this.partings) conn.settle();
				},
				onSignal: (message) => this.signal(message),
				onSettled: () => {
					this.before = null;
					this.conn?.askAgain();
					for (const parting of this.partings) {
						parting.before = null;
						parting.conn.askAgain();
					}
				},
				onCarried: (carried) => post({ type: "carried", carried }),
			},
		});
	}

	/** handle does what the page says. */
	handle(message: ToWorker): void {
		switch (message.type) {
			case "connect":
				this.connect(message);
				break;
			case "nudge":
				this.link.nudge();
				this.conn?.nudge(message.changed);
				break;
			case "open":
				this.only = message.only ?? [];
				this.open(message.device, message.want ?? ["*"], message.from ?? "head");
				break;
			case "close":
				this.close();
				break;
			case "survey":
				this.survey();
				break;
			case "forget":
				this.options.archive?.clear();
				break;
			case "pull":
				this.intake.pull();
				break;
			case "past":
				this.conn?.wantPast(message.stream, position(message));
				break;
			case "hand":
			case "control.identity":
			case "control.again":
			case "control.lease":
			case "control.call":
			case "control.ask":
			case "control.cancel":
			case "control.stop":
			case "control.reset":
				this.operate.handle(message);
				break;
			default:
				this.assisted(message);
		}
	}

	dispose(): void {
		this.cancelSurvey?.();
		this.waiting.clear();
		this.connectNow = null;
		this.close();
		for (const parting of this.partings) parting.dispose();
		this.partings.clear();
		this.link.close();
	}

	/** assisted takes what the page says of an RTCPeerConnection: of the link, or of the Conn. */
	private assisted(message: Extract<ToWorker, { attempt: number }>): void {
		const ours = this.channelLinks.get(message.attempt);
		switch (message.type) {
			case "rtc.offer":
				if (ours) ours.offered(message.sdp);
				else this.conn?.page.offered(message.attempt, message.sdp);
				if (!ours) this.offered();
				break;
			case "rtc.candidate": // of a link's the server takes none
				if (!ours) this.conn?.page.found(message.attempt, message.candidate, message.mid);
				break;
			case "rtc.channels":
				if (ours) ours.channels(message.channels);
				else this.channels(message.attempt, message.channels);
				break;
			case "rtc.state":
				if (ours) ours.state(message.state, message.pair ?? null);
				else this.conn?.page.state(message.attempt, message.state, message.pair ?? null);
				break;
			case "rtc.failed":
				if (ours) ours.failed(message.reason);
				else this.conn?.page.failNow(message.attempt, message.reason);
				if (!ours) this.offered();
				break;
		}
	}

	/** channelLink begins a link over data channels, whose connection is on the page. */
	private channelLink(request: LinkRequest, allowed: Allowed, events: LinkCarrierEvents): ChannelLink {
		const { number, answer, close } = this.assistant();
		const attempt = number();
		const introducer = {
			answer: (sdp: string) => answer(attempt, sdp),
			close: () => {
				this.channelLinks.delete(attempt);
				close(attempt);
			},
		};
		const link = new ChannelLink(request, allowed, introducer, events, this.options.env);
		this.channelLinks.set(attempt, link);
		// No STUN server is asked for our address: the server sees from where we come.
		this.options.post({ type: "rtc.create", attempt, config: { iceServers: [] } });
		return link;
	}

	/** connect waits for what the first request is to carry. */
	private connect(message: Extract<ToWorker, { type: "connect" }>): void {
		const { url, token, only = [], connectMs = 0, carried = null } = message;
		if (token !== this.token) for (const parting of this.partings) this.part(parting, false); // it was said with another right
		this.url = url;
		this.token = token;
		const target = { url: url.replace(/^ws/, "http"), token, only: only.filter(isLinkRung), connectMs, carried };
		const connect = () => {
			this.linkDown(); // the link there is ends without another word
			this.link.connect(target);
		};
		if (this.loading === null) this.whenOffered(connect);
		else void this.loading.then(() => this.whenOffered(connect));
	}

	/** whenOffered calls when the offer is there that can ride in the first request, or is not worth waiting for. It stands for the call before. */
	private whenOffered(connect: () => void): void {
		this.waiting.clear();
		this.connectNow = connect;
		if (this.conn?.page.offering !== true) {
			this.offered();
			return;
		}
		this.waiting.set(this.options.env.now() + OFFER_PATIENCE);
	}

	/** offered: there is nothing to wait for any more. */
	private offered(): void {
		this.waiting.clear();
		const connect = this.connectNow;
		this.connectNow = null;
		connect?.();
	}

	private up({ role, udp }: { role: string; udp: number | null }, line: Line): void {
		this.udp = udp;
		this.operate.as(role);
		this.options.post({ type: "link", state: "open", role });
		line.signal(0, { type: "watch" });
		// The server gave number 1 to the Conn of the first request, also if the page has left it meanwhile.
		this.lastNumber = line.opened ? 1 : 0;
		const known = line.opened && this.asked === this.conn;
		if (line.opened && !known) line.signal(1, { type: "close" });
		this.before = this.here;
		// Where another line came between, the device is bound to that by now: it is asked again.
		if (this.conn !== null) this.attach(this.conn, line, known ? 1 : ++this.lastNumber, known && this.before === null);
		for (const parting of this.partings) {
			parting.before = parting.here;
			parting.here = this.bind(parting.conn, line, ++this.lastNumber, false);
		}
	}

	private linkDown(): void {
		this.here = this.before = null;
		this.conn?.linkDown();
		for (const parting of this.partings) {
			parting.here = parting.before = null;
			parting.conn.linkDown();
		}
	}

	private attach(conn: Conn, line: Line, number: number, asked: boolean): void {
		this.here = { line, number }; // before it is bound: it may be told something at once
		this.bind(conn, line, number, asked);
	}

	private bind(conn: Conn, line: Line, number: number, asked: boolean): Place {
		const link: ConnLink = {
			get rung() {
				return line.rung;
			},
			carrier: () => new LinkShare(line, number),
			signal: (message) => line.signal(number, message),
		};
		conn.linkUp(link, asked);
		return { line, number };
	}

	private frame(frame: Frame, line: Line): void {
		if (isAt(this.here, frame, line)) this.conn?.linkFrame(frame, false);
		else if (isAt(this.before, frame, line)) this.conn?.linkFrame(frame, true);
		for (const { conn, here, before } of this.partings) {
			if (isAt(here, frame, line)) conn.linkFrame(frame, false);
			else if (isAt(before, frame, line)) conn.linkFrame(frame, true);
		}
	}

	private open(device: string, want: string[], from: string): void {
		this.close();
		const { archive } = this.options;
		if (archive === null) {
			this.begin(device, want, from, new Keeper(null, null));
			return;
		}
		const loading = archive.load(device).then((loaded) => {
			if (this.loading !== loading) return; // meanwhile another one was opened, or this one closed
			this.loading = null;
			this.begin(device, want, from, new Keeper(archive, loaded));
		});
		this.loading = loading;
	}

	private begin(device: string, want: string[], from: string, keeper: Keeper): void {
		const { env, post } = this.options;
		const { operate } = this;
		this.intake.begin(keeper);
		this.name = device;
		const { events, mute } = mutable({
			onDevice: (d) => {
				if (!keeper.identify(d)) conn.forgetResumes();
				this.name = d.name;
				operate.at(d.id);
				post({ type: "opened", device: d });
			},
			onRefused: (refused) => post({ type: "refused", ...refused }),
			onStreams: (epoch, streams) => this.intake.describe(epoch, streams),
			onBatch: (batch, rung) => this.intake.batch(batch, conn.offset(), rung),
			onCopy: (header, rung) => this.intake.copy(header, rung),
			onPast: (batch) => this.intake.past(batch),
			onPastDone: () => this.intake.pastDone(),
			roomForPast: () => this.intake.roomForPast && (this.options.archive?.hasRoom ?? true),
			onGap: (...gap) => this.intake.gap(...gap),
			onStart: (...start) => keeper.start(...start),
			onFinal: (...final) => keeper.final(...final),
			onJoined: () => operate.joined(),
			onRung: () => this.tellPathIn(0),
			onTick: (tick) => operate.tick(tick),
			onOutcome: (body) => operate.outcome(body),
		});
		this.mute = mute;
		const conn: Conn = new Conn({
			env,
			device,
			want,
			from,
			resumes: keeper.resumes,
			only: this.only,
			standing: (rung) => this.link.standing(rung),
			newestTime: (payload, count) => (this.conn === conn ? this.intake.newestTime(payload, count) : null),
			assistant: this.assistant(),
			onSuspect: () => this.link.suspect(),
			events,
		});
		this.conn = conn;
		this.operate.begin(conn);
		const line = this.link.current;
		if (line !== null) this.attach(conn, line, ++this.lastNumber, false);
		this.tellPath();
	}

	private close(): void {
		this.loading = null;
		this.cancelPath?.();
		this.cancelPath = null;
		if (this.conn !== null && this.operate.stopping) this.leave(this.conn);
		else {
			this.operate.end();
			this.conn?.dispose();
		}
		this.conn = null;
		this.here = this.before = null;
		this.intake.clear();
	}

	/** leave keeps a Conn whose device has not answered a stop, for that alone. */
	private leave(conn: Conn): void {
		const { operate, here, before, name } = this;
		this.mute();
		this.operate = operate.leave();
		const parting: Parting = new Parting(this.options.env, { device: name, conn, operate }, here, before, (answered) =>
			this.part(parting, answered),
		);
		this.partings.add(parting);
		this.options.post({ type: "control.parted", device: name, answered: null });
	}

	private part(parting: Parting, answered: boolean): void {
		this.partings.delete(parting);
		parting.dispose();
		this.options.post({ type: "control.parted", device: parting.device, answered });
	}

	private assistant(): Assistant {
		const { post } = this.options;
		return {
			number: () => ++this.attempts,
			create: (attempt, through) =>
				post({
					type: "rtc.create",
					attempt,
					config: through === null ? directConfig(this.url, this.udp) : turnedConfig(through),
				}),
			answer: (attempt, sdp) => post({ type: "rtc.answer", attempt, sdp }),
			candidate: (attempt, candidate, mid) => post({ type: "rtc.candidate", attempt, candidate, mid }),
			close: (attempt) => post({ type: "rtc.close", attempt }),
		};
	}

	private channels(attempt: number, channels: RTCDataChannel[]): void {
		if (this.conn !== null) this.conn.page.channels(attempt, channels);
		else for (const channel of channels) channel.close();
	}

	/** survey has the page find out what gets through, as soon as the server has told its TURN servers. */
	private survey(): void {
		const line = this.link.current;
		if (line === null) {
			this.surveyWith(null);
			return;
		}
		line.signal(0, { type: "servers" });
		this.cancelSurvey?.();
		this.cancelSurvey = this.options.env.later(SERVERS_WITHIN, () => this.surveyWith(null));
	}

	private surveyWith(servers: TurnServer[] | null): void {
		this.cancelSurvey?.();
		this.cancelSurvey = null;
		const { url, token, udp } = this;
		const where = { url: url.replace(/^ws/, "http"), token, stun: stunOf(url, udp), local: isLocal(url) };
		this.options.post({ type: "survey", job: { ...where, servers } });
	}

	private signal(message: ToViewer): void {
		if (message.type === "servers" && this.cancelSurvey !== null) this.surveyWith(message.servers);
		if (message.type !== "devices") return;
		const devices = this.presence.tell(message.full, message.devices, this.options.env.now());
		this.options.post({ type: "devices", devices });
	}

	/** tellPath tells the badge, and again and again while a device is open. */
	private tellPath(): void {
		const conn = this.conn;
		if (conn === null) return;
		if (this.options.env.rebase()) conn.rebased();
		this.link.carries(conn.needsLink);
		this.options.post({ type: "path", path: { ...conn.path(), ...this.intake.age() } });
		this.tellPathIn(PATH_EVERY); // first: whatever comes of control, this goes on
		this.operate.look();
	}

	private tellPathIn(ms: number): void {
		this.cancelPath?.();
		this.cancelPath = this.options.env.later(ms, () => this.tellPath());
	}
}

function position({ epoch, seq }: { epoch: string; seq: number }): EpochSeq | null {
	const parsed = parseEpoch(epoch);
	return parsed === null || parsed === 0 ? null : { epoch: parsed, seq };
}

function isAt(place: Place | null, frame: Frame, line: Line): boolean {
	return place !== null && place.line === line && place.number === frame.hop.conn;
}
