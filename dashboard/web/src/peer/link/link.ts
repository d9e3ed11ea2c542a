import type { Allowed } from "../carrier/channel-link";
import { type Dial, dial as dialBrowser } from "../carrier/dial";
import {
	CHANNEL_RUNGS,
	type Ending,
	type HttpRung,
	LINK_RUNGS,
	type LinkCarrier,
	type LinkCarrierEvents,
	type LinkRequest,
	type LinkRung,
	onChannels,
} from "../carrier/link-carrier";
import { Alarm, type Env } from "../env";
import { failure } from "../failures";
import { height, mayUse } from "../ladder";
import type { FromViewer, Refusal, ToViewer } from "../signal";
import { codeByName, type Frame, type Retry } from "../wire";
import { retryDelay } from "./backoff";
import { Lift } from "./lift";
import { Line, type Welcome } from "./line";
import { type Asked, Race } from "./race";
import type { LinkStanding } from "./standing";
import { type Carried, KNOWN_FOR, Verdicts } from "./verdicts";

/** A line that was left for a better one goes on receiving for so long, in ms: until the device sends on the new one. */
const LEAVE_AFTER = 2_000;
/** A line that is closed still sends what it has queued, and says goodbye, for no longer than this, in ms. */
const GOODBYE_WITHIN = 600;
/** Where no line was found in the place of a silent one, it is tried again after about so long, in ms. */
const LOWER_AGAIN = 500;
/** However often somebody says that the network may have changed, better rungs are tried at most so often, in ms. */
const NUDGED_EVERY = 10_000;

export interface LinkEvents {
	onConnecting(): void;
	/** the server welcomed us on a line. An earlier one, which is left for it, is heard for a moment longer. */
	onUp(welcome: Welcome, line: Line): void;
	/** the link is over; retryIn in ms, null: not tried again. */
	onDown(refusal: Refusal, retryIn: number | null): void;
	/** a frame with a conn number came on a line. */
	onFrame(frame: Frame, line: Line): void;
	/** the frames of a packet were all given to onFrame. */
	onPacketEnd(): void;
	/** a signal of the link itself that is not about its being. */
	onSignal(message: ToViewer): void;
	/** the line that was left for a better one is over: nothing said there arrives any more. */
	onSettled(): void;
	/** what a later visit on this network should know; null: nothing. */
	onCarried(carried: Carried | null): void;
}

export interface LinkOptions {
	env: Env;
	events: LinkEvents;
	/** opening is the open signal that the first request may carry; null: none. */
	opening(): FromViewer | null;
	/** dial makes carriers; tests put their own here. */
	dial?: Dial;
	/** channels makes a carrier over data channels to the server; absent: there are none. */
	channels?(request: LinkRequest, allowed: Allowed, events: LinkCarrierEvents): LinkCarrier;
	/** why asks the server, by plain HTTP, why it refused: a browser does not tell. */
	why(url: string, token: string): Promise<Asked>;
}

/** Target is where the link leads, and how. */
export interface Target {
	url: string; // http(s)://…/v1/link
	token: string; // "": none
	/** only these rungs are tried; none or absent: all. */
	only?: readonly LinkRung[];
	/** connectMs is what connecting to the server took, as far as somebody saw it; 0 or absent: nobody did. */
	connectMs?: number;
	/** carried is what an earlier visit on this network found out. */
	carried?: Carried | null;
}

/** Link is the connection to the server. It is made again until close, or until the server says not to. */
export class Link {
	private readonly alarm: Alarm;
	private readonly verdicts = new Verdicts();
	private lift = new Lift(false, false);
	private target: Target | null = null;
	private carried: Carried | null = null;
	private race: Race | null = null;
	private line: Line | null = null; // the link
	private fresh: Line | null = null; // a better one that was not welcomed yet
	private leaving: Line | null = null; // the one before
	private cancelLeaving: () => void = () => undefined;
	private failures = 0;
	private cut = false; // the last line ended without anybody's word
	private retryAt = Infinity;
	private lookedAt = -Infinity;

	constructor(private readonly options: LinkOptions) {
		this.alarm = new Alarm(options.env, () => this.tick());
	}

	/** connect begins, or begins anew with another address or token. */
	connect(target: Target): void {
		this.drop();
		this.verdicts.clear();
		this.target = target;
		const may = (rung: LinkRung) => this.options.channels !== undefined && this.allowed(rung);
		this.lift = new Lift(may("relay-udp"), may("relay-tcp"));
		this.carried = target.carried ?? null;
		const known = this.known();
		if (known !== null) this.verdicts.recall(known);
		this.failures = 0;
		// In a task of its own: a page that opens a device right away gets it into the first request.
		this.retryAt = this.options.env.now();
		this.schedule();
	}

	close(): void {
		this.target = null;
		this.retryAt = Infinity;
		this.alarm.clear();
		this.drop();
	}

	/** current is the line that the server welcomed us on; null: there is no link. */
	get current(): Line | null {
		return this.line?.up ? this.line : null;
	}

	/** nudge says that the network may have changed: what is down is tried at once, what is up proves itself, better rungs are tried again. */
	nudge(): void {
		const now = this.options.env.now();
		if (this.target === null) return;
		this.lift.anew(now);
		if (this.line === null && this.race === null) this.retryAt = Math.min(this.retryAt, now);
		this.current?.prove();
		if (now - this.lookedAt >= NUDGED_EVERY) this.lookHigher();
		this.schedule();
	}

	/** suspect: a direct path does not answer in time. What took it, a new address for instance, may have taken the link, too, and nobody would say so. */
	suspect(): void {
		if (this.line !== null) this.current?.prove();
		else if (this.cut) this.retryAt = Math.min(this.retryAt, this.options.env.now()); // so it did, and no server is to be spared
		this.schedule();
	}

	/** carries says, now and then, whether the link is what carries for want of a better path: then data channels to the server are worth having. */
	carries(on: boolean): void {
		const line = this.current;
		line?.carries(on);
		if (line === null || this.race !== null) return;
		const wish = this.lift.step(this.options.env.now(), line.rung, on);
		if (wish === "up") this.run([onChannels(line.rung) ? "relay-udp" : this.lift.udp ? "relay-udp" : "relay-tcp"]);
		else if (wish === "down") this.lookLower();
	}

	/** standing says how a rung of the link is. */
	standing(rung: LinkRung): LinkStanding {
		const failed = this.verdicts.of(rung);
		if (this.line?.rung === rung) return { state: "use", failure: this.line.concern };
		if (this.race?.trying(rung)) return { state: "trying", failure: failed };
		if (failed !== null) return { state: "failed", failure: failed };
		return { state: this.allowed(rung) ? "off" : "excluded", failure: null };
	}

	private allowed(rung: LinkRung): boolean {
		return mayUse(rung, this.target?.only ?? []);
	}

	/** rungs are those over HTTP that may be tried, best first; all if none may carry: the server introduces all the same. */
	private rungs(): HttpRung[] {
		const rungs = LINK_RUNGS.filter((rung) => this.allowed(rung));
		return rungs.length === 0 ? [...LINK_RUNGS] : rungs;
	}

	/** known is what was found out on this network, while that holds. */
	private known(): Carried | null {
		return this.carried !== null && this.wall() < this.carried.since + KNOWN_FOR ? this.carried : null;
	}

	private wall(): number {
		return this.options.env.wall() / 1000;
	}

	/** look begins where the link was last, or with the best. */
	private look(): void {
		this.retryAt = Infinity;
		const rungs = this.rungs();
		this.options.events.onConnecting();
		this.run(this.order(rungs));
	}

	/** order begins with what is known to carry here. */
	private order(rungs: HttpRung[]): LinkRung[] {
		const known = this.known()?.rung;
		const first = rungs.filter((rung) => rung === known);
		return this.verdicts.order([...first, ...rungs.filter((rung) => rung !== known)]);
	}

	/** lookLower looks for a line that needs no data channels, beside the one that does. That stays until the other is welcomed. */
	private lookLower(): void {
		this.race?.close();
		this.run(this.order(this.rungs()));
	}

	private lowerSoon(): void {
		const { env } = this.options;
		const line = this.line;
		env.later(LOWER_AGAIN * (0.5 + env.random()), () => {
			if (line !== null && line === this.line && this.race === null && this.fresh === null) this.lookLower();
		});
	}

	/** doubt: the line does not answer. It is kept until there is another one: it may only be slow. */
	private doubt(line: Line): void {
		if (line !== this.line || !this.lift.doubt(this.options.env.now(), line.rung)) return;
		this.options.env.debug("link: in doubt:", line.rung);
		if (onChannels(line.rung)) this.verdicts.failed(line.rung, failure("fell-silent"));
		this.lookLower();
	}

	/** lookHigher tries the better rungs, beside the line there is. */
	private lookHigher(): void {
		const line = this.current;
		if (line === null || this.race !== null) return;
		const better = this.rungs().filter((rung) => height(rung) < height(line.rung));
		if (better.length > 0) this.run(better);
	}

	private run(rungs: LinkRung[]): void {
		const { env, opening, why } = this.options;
		const { url, token, connectMs = 0 } = this.target ?? { url: "", token: "" };
		const beside = this.line !== null;
		this.lookedAt = env.now();
		this.race = new Race({
			env,
			rungs,
			connectMs,
			beside,
			verdicts: this.verdicts,
			dial: (rung, first, events) => {
				if (onChannels(rung)) return this.dialChannels(rung, events);
				const open = first && !beside ? opening() : null;
				return (this.options.dial ?? dialBrowser)(rung, { url, token, open }, events, env);
			},
			why: () => why(url, token),
			onWon: (carrier) => this.won(carrier),
			onRefused: (refusal) => {
				this.race = null;
				this.over({ refusal });
			},
			onDone: () => this.looked(beside, rungs.some(onChannels)),
		});
		this.race.start();
	}

	/** dialChannels opens data channels to the server: from UDP down, or over UDP where TCP is what there is. */
	private dialChannels(rung: LinkRung, events: LinkCarrierEvents): LinkCarrier {
		const { url, token } = this.target ?? { url: "", token: "" };
		const { channels } = this.options;
		if (channels === undefined) throw new Error("there are no data channels");
		const udp = this.lift.udp && rung === "relay-udp";
		const tcp = this.lift.tcp && !onChannels(this.line?.rung ?? "ws");
		return channels({ url, token, open: null }, { udp, tcp }, events);
	}

	private won(carrier: LinkCarrier): LinkCarrierEvents {
		const { env, events } = this.options;
		const line: Line = new Line(env, carrier, {
			onWelcome: (welcome) => this.welcomed(line, welcome),
			onFrame: (frame) => events.onFrame(frame, line),
			onPacketEnd: () => events.onPacketEnd(),
			onSignal: (message) => {
				if (line === this.line) events.onSignal(message);
			},
			onDoubt: () => this.doubt(line),
			onOver: (ending) => this.ended(line, ending),
		});
		if (this.line === null) this.line = line;
		else {
			this.fresh?.close();
			this.fresh = line;
		}
		return line;
	}

	private welcomed(line: Line, welcome: Welcome): void {
		if (line === this.fresh) {
			this.leave();
			this.line = line;
			this.fresh = null;
		}
		this.failures = 0;
		this.lift.moved(this.options.env.now(), line.rung);
		if (line.rung === "relay-tcp" && this.lift.udp) this.verdicts.failed("relay-udp", failure("udp-blocked"));
		else if (onChannels(line.rung)) for (const rung of CHANNEL_RUNGS) this.verdicts.carries(rung);
		const known = this.known();
		this.learn(known?.rung === line.rung ? known.since : this.wall());
		this.options.events.onUp(welcome, line);
	}

	/** leave keeps the line for a moment: what is on its way there still comes. */
	private leave(): void {
		this.cancelLeaving();
		this.leaving?.close();
		const line = this.line;
		this.leaving = line;
		this.cancelLeaving = this.options.env.later(LEAVE_AFTER, () => {
			this.leaving = null;
			line?.close();
			this.settleSoon();
		});
	}

	/** settleSoon: what the left line had queued is sent, or never will be, once its goodbye has had its time. */
	private settleSoon(): void {
		this.cancelLeaving = this.options.env.later(GOODBYE_WITHIN, () => this.options.events.onSettled());
	}

	/** learn notes which rung carries, since when that is known, and why no better one does. */
	private learn(since: number): void {
		const rung = this.line?.rung;
		if (rung === undefined || onChannels(rung)) return; // which says nothing of the others
		const before = this.carried;
		this.carried = rung === this.rungs()[0] ? null : this.verdicts.remember(rung, since);
		if (JSON.stringify(before) !== JSON.stringify(this.carried)) this.options.events.onCarried(this.carried);
		this.schedule();
	}

	/** looked: a race is over, and nobody was refused. */
	private looked(beside: boolean, channels: boolean): void {
		this.race = null;
		if (channels) {
			if (this.fresh === null) this.lift.failed(this.options.env.now());
			return;
		}
		if (this.line !== null && this.lift.leaving && this.fresh === null) this.lowerSoon();
		else if (this.line === null) {
			const why = this.verdicts.worst() ?? failure("unanswered");
			this.over({ failure: why });
		} else this.learn(beside || this.carried === null ? this.wall() : this.carried.since);
	}

	private ended(line: Line, ending: Ending): void {
		if (line === this.leaving) {
			this.leaving = null;
			this.cancelLeaving();
			this.settleSoon();
		}
		if (line === this.fresh) this.notWelcomed(line);
		if (line !== this.line) return;
		if (onChannels(line.rung)) this.lift.ended(this.options.env.now());
		if ("refusal" in ending && ending.refusal.code === "silent") this.verdicts.silent(line.rung, line.age);
		// Where it was in doubt anyway, another one is under way, or wanted at once.
		const doubted = this.lift.leaving || line.proving;
		if (doubted && (this.race !== null || this.fresh !== null)) this.replaced(ending);
		else {
			this.drop();
			this.over(ending, doubted);
		}
	}

	/** notWelcomed: the line that won beside the one there is was over before the server let us in on it. */
	private notWelcomed(line: Line): void {
		this.fresh = null;
		const { env } = this.options;
		if (onChannels(line.rung)) this.lift.failed(env.now());
		else if (this.lift.leaving) this.lowerSoon();
	}

	/** replaced: the line is over, and another one is on its way. */
	private replaced(ending: Ending): void {
		this.line = this.fresh;
		this.fresh = null;
		const { code, reason, remedy } = "refusal" in ending ? ending.refusal : { ...ending.failure, code: "" };
		this.options.events.onDown({ code, reason, remedy }, 0);
	}

	/** over waits before the link is made again; not when there is a hurry: its end is the network's, and no server is to be spared. */
	private over(ending: Ending, hurry = false): void {
		const refusal = "refusal" in ending ? ending.refusal : { ...ending.failure, code: "" };
		const retry: Retry = "refusal" in ending ? codeByName(refusal.code).retry : "now"; // nobody has said to wait
		this.failures++;
		this.cut = !("refusal" in ending);
		const wait = hurry && this.cut ? 0 : retryDelay(retry, this.failures, this.options.env.random);
		const delay = this.target === null ? null : wait;
		if (delay !== null) this.retryAt = this.options.env.now() + delay;
		this.options.env.debug("link: over:", refusal, "retry in ms:", delay);
		this.options.events.onDown({ code: refusal.code, reason: refusal.reason, remedy: refusal.remedy }, delay);
		this.schedule();
	}

	private tick(): void {
		const now = this.options.env.now();
		if (this.line === null && this.race === null && now >= this.retryAt) this.look();
		else if (now >= this.higherAt()) this.lookHigher();
		this.schedule();
	}

	/** higherAt is when the better rungs are tried again. */
	private higherAt(): number {
		if (this.carried === null || this.current === null || this.race !== null || onChannels(this.current.rung))
			return Infinity;
		return this.options.env.now() + this.carried.since + KNOWN_FOR - this.wall();
	}

	private schedule(): void {
		this.alarm.set(Math.min(this.line === null ? this.retryAt : Infinity, this.higherAt()));
	}

	/** drop forgets all that is under way without another word. */
	private drop(): void {
		this.cancelLeaving();
		this.race?.close();
		for (const line of [this.line, this.fresh, this.leaving]) line?.close();
		this.race = null;
		this.line = this.fresh = this.leaving = null;
	}
}
