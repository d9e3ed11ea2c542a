import { type Device, type Finding, type FromWorker, mayOperate, type PathInfo, type StreamInfo } from "../../port";
import { DeviceStore } from "../../store/device";
import { type Card, layout } from "../../store/layout";
import { Loop } from "../chart/loop";
import { Timeline } from "../chart/timeline";
import { Control } from "./control.svelte";
import type { Engine } from "./engine";
import { leads } from "./leads";
import { cleanToken, type Problem, type Proof, redeem, storedToken, storeToken } from "./login";
import { watchNetwork } from "./network";
import { PastAsked } from "./past";
import { Reload } from "./reload";
import { loginCode, parseRoute, type Route } from "./route";

type Link = Extract<FromWorker, { type: "link" }>;

/** Refusal is why a device does not open, with those that may have been meant. */
export interface Refusal extends Problem {
	candidates: Device[];
}

/** LinkView is the state of the link to the server, with the page's times of it. */
export interface LinkView extends Problem {
	state: "idle" | "connecting" | "open" | "closed";
	/** Since when there has been no link, ms; null while there is one. */
	downSince: number | null;
	/** When the next try is due, ms; null: there will be none. */
	retryAt: number | null;
	/** Whether it was ever open. */
	opened: boolean;
}

/** A link that is away for less, in ms, is not worth a word beside each device: servers are started again. */
const LOST_MS = 3_000;
/** A device that is started again tells of its streams within this time, in ms, after it said that it has none. */
const BARE_MS = 2_000;

/** Codes after which another token may help. */
const LOGIN_CODES = new Set(["unauthorized", "forbidden"]);

/** What the page has is a session, never a token that somebody could find in a file: the server's advice is for programs. */
const LOGIN_OVER = {
	reason: "This browser's login has ended.",
	remedy: "Log in again. A login lasts seven days, or until the server ends all of them.",
};

/**
 * App is what the views show: slow state, as runes. Samples do not pass
 * through here: they go to the store, and the charts read them there.
 */
export class App {
	link = $state.raw<LinkView>(linkBefore(Date.now()));
	/** What this page may do: viewer, operator or admin; "" before the server has said. */
	role = $state.raw("");
	/** null: the server has not said yet. */
	devices = $state.raw<Device[] | null>(null);
	/** When devices, and device, were told: ages in them are of then. */
	devicesAt = $state.raw(Date.now());
	deviceAt = $state.raw(Date.now());
	route = $state.raw<Route>({ view: "home" });
	device = $state.raw<Device | null>(null);
	refusal = $state.raw<Refusal | null>(null);
	/** null: the device has not described them yet. */
	streams = $state.raw<StreamInfo[] | null>(null);
	path = $state.raw<PathInfo | null>(null);
	/** Samples that the Worker gave up because this page did not fetch them. */
	dropped = $state.raw(0);
	/** Devices that were left while a stop was on its way: whether it was answered; null: not yet. */
	parted = $state.raw<ReadonlyMap<string, boolean | null>>(new Map());
	/** Why what came is not kept over a reload; "": it is; null: that is not known yet. */
	archive = $state.raw<string | null>(null);
	/** What gets through from here, as far as it was looked for; over: all of it was. */
	network = $state.raw<{ findings: Finding[]; over: boolean; at: number } | null>(null);
	/** The login view is shown, with what went wrong if something did. */
	login = $state.raw<{ problem: Problem | null; busy: boolean } | null>(null);
	live = $state(true);
	span = $state(0);
	/** Ticks once a second, for ages in words. */
	now = $state(Date.now());
	store = $state.raw(new DeviceStore());
	/** Said aloud by screen readers, politely. */
	announcement = $state("");
	cards: Card[] = $derived(this.streams === null ? [] : layout(this.streams));

	readonly timeline = new Timeline(() => this.timelineChanged());
	readonly loop: Loop;
	readonly control: Control;
	/** Samples received when the axis was detached. */
	detachedAt = 0;
	private readonly reload = new Reload((message) => this.receive(message));
	private readonly pastAsked = new PastAsked();
	private token = "";
	/** Runs while a device that had streams says that it has none. */
	private bare: ReturnType<typeof setTimeout> | undefined;
	private wrongToken: Problem | null = null;
	private readonly unwatch: () => void;
	private readonly ticking: ReturnType<typeof setInterval>;

	constructor(
		private readonly engine: Engine,
		private readonly base: URL,
	) {
		this.span = this.timeline.span;
		this.control = new Control(
			(message) => engine.send(message),
			(text) => this.announce(text),
			(input) => this.moved(input),
		);
		engine.listen((message) => this.receive(message));
		this.loop = new Loop({
			fetch: () => this.pull(),
			frame: () => this.frame(),
			slow: () => undefined,
			steered: () => this.control.hands.held,
			filling: () => this.store.fills(Date.now()),
		});
		this.ticking = setInterval(() => {
			this.now = Date.now();
		}, 1_000);
		this.unwatch = watchNetwork((changed) => {
			if (changed) this.network = null; // it is about another one
			this.engine.send({ type: "nudge", changed });
		});
		window.addEventListener("hashchange", this.follow);
		window.addEventListener("beforeunload", this.stay);
		window.addEventListener("pagehide", this.leave);
		document.addEventListener("visibilitychange", this.leave);
		void this.start();
	}

	dispose(): void {
		this.unwatch();
		this.control.dispose();
		window.removeEventListener("hashchange", this.follow);
		window.removeEventListener("beforeunload", this.stay);
		window.removeEventListener("pagehide", this.leave);
		document.removeEventListener("visibilitychange", this.leave);
		clearInterval(this.ticking);
		clearTimeout(this.bare);
		this.loop.dispose();
		this.engine.dispose();
	}

	/** The server's address, as a person and a device type it. */
	get server(): string {
		return this.base.href.replace(/\/$/, "");
	}

	/** submit takes a login code or a token that was pasted. */
	submit(text: string): void {
		const code = loginCode(text.slice(text.indexOf("#")));
		void this.redeem(code === null ? { token: cleanToken(text) } : { code });
	}

	/** retry tries the link now, without waiting. */
	retry(): void {
		this.connect(this.token);
	}

	/** logout forgets the token, and what this browser has kept; a server that wants one then asks for another. */
	logout(): void {
		this.reload.closed();
		this.reload.clear();
		this.engine.send({ type: "forget" });
		this.connect("");
	}

	/** togglePause holds all charts, or lets them go. */
	togglePause(): void {
		if (this.timeline.live) this.timeline.pause();
		else this.timeline.goLive();
	}

	/** seen is about a stop to a device that was left: what became of it has been read. */
	seen(device: string): void {
		this.parted = new Map([...this.parted].filter(([name]) => name !== device));
	}

	/** survey finds out what gets through from here to the server. */
	survey(): void {
		this.network = { findings: [], over: false, at: Date.now() };
		this.engine.send({ type: "survey" });
	}

	/** Since when the server has told of no device, in ms; null: it tells, or does again in a moment. */
	get lostAt(): number | null {
		const { opened, state, downSince } = this.link;
		const lost = opened && state !== "open" && downSince !== null && this.now - downSince >= LOST_MS;
		return lost ? downSince : null;
	}

	/** watches says that this page may see, not command. */
	get watches(): boolean {
		return this.role !== "" && !mayOperate(this.role);
	}

	/** newSince is how many samples came since the axis was detached. */
	newSince(): number {
		return this.store.received - this.detachedAt;
	}

	private async start(): Promise<void> {
		const code = loginCode(location.hash);
		if (code === null) {
			this.follow();
			this.connect(storedToken());
		} else await this.enter(code);
	}

	/** A code is good for one use: it leaves the address bar and the history before anything else happens. */
	private async enter(code: string): Promise<void> {
		history.replaceState(null, "", `${location.pathname}${location.search}#/`);
		this.follow();
		await this.redeem({ code });
	}

	private async redeem(proof: Proof): Promise<void> {
		this.login = { problem: null, busy: true };
		const answer = await redeem(this.base, proof);
		if ("token" in answer) this.connect(answer.token);
		else this.login = { problem: answer, busy: false };
	}

	private connect(token: string): void {
		this.token = token;
		storeToken(token);
		this.login = this.login && { problem: null, busy: true };
		this.link = { ...linkBefore(Date.now()), state: "connecting" };
		const url = new URL("v1/link", this.base);
		url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
		this.open(); // first: its request can ride in that for the link
		this.engine.send({ type: "connect", url: url.href, token });
	}

	private readonly follow = (): void => {
		const code = loginCode(location.hash);
		if (code !== null) {
			void this.enter(code);
			return;
		}
		const before = this.route;
		this.route = parseRoute(location.hash);
		const same = before.view === "device" && this.route.view === "device" && before.device === this.route.device;
		if (!same && this.link.state !== "idle") this.open();
	};

	/** A page that is hidden may never come back: phones end it without another word. */
	private readonly leave = (event: Event): void => {
		if (event.type === "pagehide" || document.hidden) this.reload.save(this.store, Date.now());
	};

	/** With the page the stop that it says goes: the browser asks whether that is meant. */
	private readonly stay = (event: Event): void => {
		if (this.control.stoppingSince !== null || [...this.parted.values()].includes(null)) event.preventDefault();
	};

	/** open shows the route's device, from nothing. */
	private open(): void {
		this.reload.save(this.store, Date.now());
		this.reload.closed();
		this.control.clear();
		this.engine.send({ type: "close" });
		this.device = this.refusal = this.streams = this.path = null;
		this.store = new DeviceStore();
		this.pastAsked.clear();
		clearTimeout(this.bare);
		this.dropped = 0;
		this.timeline.clearCursors();
		this.timeline.goLive();
		if (this.route.view === "device") this.engine.send({ type: "open", device: this.route.device });
	}

	private receive(message: FromWorker): void {
		if (this.reload.holds(message)) return;
		switch (message.type) {
			case "link":
				this.linkChanged(message);
				break;
			case "devices":
				this.devices = message.devices;
				this.devicesAt = Date.now();
				break;
			case "opened":
				this.opened(message.device);
				break;
			case "refused":
				this.refusal = message;
				break;
			case "streams":
				this.described(message.streams);
				break;
			case "samples":
				this.store.samples(message, Date.now());
				this.dropped += message.dropped ?? 0;
				break;
			case "gap":
				this.store.gap(message);
				break;
			case "past.done":
				this.store.pastDone();
				break;
			case "archive":
				this.archive = message.problem;
				break;
			case "path":
				this.pathChanged(message.path);
				break;
			case "network":
				this.network = { ...message, at: Date.now() };
				if (message.over) this.announce("The network check is done.");
				break;
			case "control.parted":
				this.parted = new Map([...this.parted, [message.device, message.answered]]);
				break;
			case "control.machine":
			case "control.lease":
			case "control.stop":
			case "control.call":
			case "control.state":
				this.control.receive(message);
				break;
		}
	}

	/** described takes the list of streams. An empty one in place of others is not believed at once: charts would go and come again. */
	private described(streams: StreamInfo[]): void {
		clearTimeout(this.bare);
		if (streams.length === 0 && this.cards.length > 0) this.bare = setTimeout(() => this.describe(streams), BARE_MS);
		else this.describe(streams);
	}

	private describe(streams: StreamInfo[]): void {
		this.store.describe(streams);
		this.reload.described(this.store);
		for (const behind of this.pastAsked.described(this.store)) this.engine.send({ type: "past", ...behind });
		this.streams = streams;
	}

	private linkChanged(link: Link): void {
		const now = Date.now();
		const before = this.link;
		const isOpen = link.state === "open";
		this.link = {
			state: link.state,
			// While it is tried again, what went wrong last still stands.
			code: link.code ?? (isOpen ? "" : before.code),
			reason: link.reason ?? (isOpen ? "" : before.reason),
			remedy: link.remedy ?? (isOpen ? "" : before.remedy),
			downSince: isOpen ? null : (before.downSince ?? now),
			retryAt: link.retryInMs === undefined ? null : now + link.retryInMs,
			opened: before.opened || isOpen,
		};
		if (isOpen) {
			this.login = null;
			this.role = link.role ?? "";
		} else if (link.state === "closed" && LOGIN_CODES.has(this.link.code)) this.tokenRefused();
		if (isOpen !== (before.state === "open")) this.announce(isOpen ? "Connected to the server." : "");
	}

	/**
	 * A server may be open to whoever comes without a token: when one is
	 * refused, the next try goes without. Only when that is refused, too, the
	 * login is shown, with what was wrong with the token if there was one.
	 */
	private tokenRefused(): void {
		const { code, reason, remedy } = this.link;
		if (this.token === "") {
			this.login = { problem: this.wrongToken, busy: false };
			this.wrongToken = null;
			return;
		}
		this.wrongToken = code === "unauthorized" ? { code, ...LOGIN_OVER } : { code, reason, remedy };
		this.connect("");
	}

	private opened(device: Device): void {
		if (this.device !== null && this.device.state !== device.state) this.announce(`${device.name} is ${device.state}.`);
		this.device = device;
		this.deviceAt = Date.now();
		this.reload.opened(device.id);
		this.control.opened(device.id);
		this.refusal = null;
		if (device.state === "offline") this.store.reached(false, Date.now());
	}

	private pathChanged(path: PathInfo): void {
		const step = this.store.measured(path.offsetMs, path.offsetErrMs, Date.now());
		if (step !== 0) this.timeline.clockSet(step);
		this.store.reached(leads(path) && this.device?.state !== "offline", Date.now());
		this.path = path;
	}

	private timelineChanged(): void {
		if (this.live && !this.timeline.live) this.detachedAt = this.store.received;
		this.live = this.timeline.live;
		this.span = this.timeline.span;
	}

	private announce(text: string): void {
		this.announcement = text;
	}

	/** pull fetches what has come, without waiting for the next frame; it arrives a moment later. */
	pull(): void {
		this.engine.send({ type: "pull" });
	}

	/** moved: behind a key nobody presses another one at once. A stick says something again right away: there is no better moment. */
	private moved(input: string): void {
		if (input === "keys") this.loop.input();
	}

	private frame(): number {
		this.store.fill(Date.now());
		const now = this.store.clock.toDevice(Date.now());
		this.timeline.tick(now);
		return now;
	}
}

function linkBefore(now: number): LinkView {
	return { state: "idle", code: "", reason: "", remedy: "", downSince: now, retryAt: null, opened: false };
}
