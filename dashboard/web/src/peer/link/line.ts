import {
	type Ending,
	type LinkCarrier,
	type LinkCarrierEvents,
	type LinkRung,
	onChannels,
} from "../carrier/link-carrier";
import type { SharedLink } from "../carrier/share";
import { Alarm, type Env } from "../env";
import { type Failure, failure } from "../failures";
import { type FromViewer, parse as parseSignal, type Refusal, type ToViewer } from "../signal";
import {
	answerProbe,
	eachFrame,
	FormatError,
	type Frame,
	parseEcho,
	TYPE_ECHO,
	TYPE_PROBE,
	TYPE_SIGNAL,
} from "../wire";
import { echoFrame, probeFrame, signalFrame } from "./encode";
import { Hop } from "./hop";
import { Prober } from "./prober";

/** Something is sent at least this often, in ms; the default keep alive of section 6.2. */
const KEEP_ALIVE = 3_000;
/** A probe is sent when nothing was sent or heard for so long, in ms, and again and again while nothing is heard. */
const PROBE_AFTER = (4 / 5) * KEEP_ALIVE;
const PROBE_AGAIN = PROBE_AFTER / 3;
/** A link that is silent for 1.5 × its keep alive is dead. */
const DEAD_AFTER = 1.5 * KEEP_ALIVE;
/** How long the welcome may take after the first frame, in ms. */
const WELCOME_WITHIN = 10_000;
/** How long the answer may take when there is a reason to ask, in ms, while no round trip is known. */
const PROVE_WITHIN = 500;
/** Otherwise twice that and PROVE_SLACK, at least PROVE_LEAST, in which TCP sends again what got lost. */
const PROVE_LEAST = 200;
const PROVE_SLACK = 100;
/** How long before the end of a link its server's word of why may have come, in ms. */
const EXPLAINED_WITHIN = 1_000;
/** What waits here and in the browser, in bytes: beyond it nothing is added that is repeated anyway. */
const QUEUE_SOFT = 64 * 1024;
/** What waits here and in the browser, in bytes: beyond it nothing is added at all. */
const QUEUE_HARD = 1024 * 1024;

export type Welcome = Extract<ToViewer, { type: "welcome" }>;

export interface LineEvents {
	onWelcome(welcome: Welcome): void;
	/** a frame with a conn number. */
	onFrame(frame: Frame): void;
	/** the frames of a packet were all given to onFrame. */
	onPacketEnd(): void;
	/** a signal of the link itself that is not about its being. */
	onSignal(message: ToViewer): void;
	/** the way to the server is in doubt: it did not answer when it was asked. Of data channels, again and again while it is. */
	onDoubt(): void;
	/** the line is over and closed. */
	onOver(ending: Ending): void;
}

/** Line is the link to the server as long as it is on one carrier: from that one's first packet to its end. */
export class Line implements SharedLink, LinkCarrierEvents {
	private readonly alarm: Alarm;
	private readonly prober: Prober;
	private readonly born: number;
	private hop: Hop | null = null; // of data channels, from the welcome on
	private carrying = true;
	private welcomed = false;
	private closed = false;
	private refusal: Refusal | null = null; // what the server said last of what it does not take
	private refusedAt = 0;
	private intercepted = false;
	private heardAt: number;
	private sentAt: number;
	private proveBy = Infinity;
	private rtt = 0; // the smallest round trip, in ms; 0: none was measured

	constructor(
		private readonly env: Env,
		private readonly carrier: LinkCarrier,
		private readonly events: LineEvents,
	) {
		this.prober = new Prober(carrier.rung);
		this.born = this.heardAt = this.sentAt = env.now();
		this.alarm = new Alarm(env, () => this.tick());
		this.schedule();
	}

	get rung(): LinkRung {
		return this.carrier.rung;
	}

	/** opened: its request carried an open signal. */
	get opened(): boolean {
		return this.carrier.opened;
	}

	get up(): boolean {
		return this.welcomed && !this.closed;
	}

	/** concern is what is wrong with it though it works; null: nothing that is known. */
	get concern(): Failure | null {
		return this.intercepted ? failure("tls-intercepted") : this.carrier.concern;
	}

	/** age is how long it is there, in ms. */
	get age(): number {
		return this.env.now() - this.born;
	}

	/** send hands over one whole frame. What need not arrive yields first when the network takes nothing. */
	send(frame: Uint8Array, mustArrive: boolean): boolean {
		if (!this.up) return false;
		if (this.carrier.queueBytes() + frame.length > (mustArrive ? QUEUE_HARD : QUEUE_SOFT)) return false;
		if (!this.carrier.send(frame)) return false;
		this.sentAt = this.env.now();
		return true;
	}

	signal(conn: number, message: FromViewer): boolean {
		return this.send(signalFrame(conn, message), true);
	}

	queueBytes(): number {
		return this.carrier.queueBytes();
	}

	/** carries says whether somebody waits for what it carries, for want of a better path. */
	carries(on: boolean): void {
		if (this.carrying === on) return;
		this.carrying = on;
		this.hop?.carries(on);
		this.schedule();
	}

	/** prove asks the server for a sign of life at once: the network may have changed under the line. */
	prove(): void {
		if (this.proving) return;
		this.probe();
		this.proveBy = this.env.now() + this.patience();
		this.schedule();
	}

	/** proving: it was asked for a sign of life, and has its time to answer. */
	get proving(): boolean {
		return this.proveBy < Infinity;
	}

	/** close ends it without another word to anybody here. */
	close(): void {
		this.closed = true;
		this.alarm.clear();
		this.carrier.close();
	}

	onOpen(): void {}

	onPacket(packet: Uint8Array): void {
		this.heardAt = this.env.now();
		this.hop?.heard(this.heardAt);
		this.proveBy = Infinity;
		eachFrame(
			packet,
			(frame) => this.frame(frame),
			(error) => this.env.debug("link: unreadable frame:", error.message),
		);
		if (this.closed) return;
		this.events.onPacketEnd();
		this.schedule();
	}

	onOver(ending: Ending): void {
		if (this.closed) return;
		this.close();
		this.events.onOver(this.explained(ending));
	}

	/**
	 * explained is an ending with what the server said right before it closed the link with that code, which has no room for
	 * as much. By itself its word ends nothing: of a cut that comes later it is not the reason.
	 */
	private explained(ending: Ending): Ending {
		const word = this.refusal;
		if (word === null || this.env.now() > this.refusedAt + EXPLAINED_WITHIN) return ending;
		if (!("refusal" in ending) || ending.refusal.code !== word.code) return ending;
		const { code, reason, remedy } = ending.refusal;
		const whole = word.reason.startsWith(reason) ? word.reason : reason; // a close frame cuts it off
		return { refusal: { code, reason: whole, remedy: remedy || word.remedy } };
	}

	private frame(frame: Frame): void {
		if (this.closed) return; // a frame before this one ended the line
		if (frame.hop.conn !== 0) this.events.onFrame(frame);
		else this.own(frame);
	}

	/** own handles a frame of the link itself; one that cannot be read is skipped. */
	private own(frame: Frame): void {
		try {
			if (frame.type === TYPE_PROBE) this.answer(frame.body);
			else if (frame.type === TYPE_ECHO) this.echoed(frame);
			else if (frame.type === TYPE_SIGNAL) this.signalled(parseSignal(frame.body));
		} catch (error) {
			if (!(error instanceof FormatError)) throw error;
			this.env.debug("link: unreadable:", error.message);
		}
	}

	private answer(probe: Uint8Array): void {
		const wall = this.env.wall();
		this.send(echoFrame(0, answerProbe(probe, wall, wall)), false);
	}

	private echoed(frame: Frame): void {
		const rtt = this.prober.echo(parseEcho(frame.body), this.env.wall());
		if (rtt === null) return;
		this.hop?.proved(this.env.now(), rtt);
		if (this.rtt === 0 || rtt < this.rtt) this.rtt = rtt;
	}

	private patience(): number {
		return this.rtt === 0 ? PROVE_WITHIN : Math.max(PROVE_LEAST, 2 * this.rtt + PROVE_SLACK);
	}

	private signalled(message: ToViewer | null): void {
		switch (message?.type) {
			case undefined:
				break; // a signal of a later version
			case "welcome":
				this.welcomed = true;
				this.intercepted = message.intercepted;
				if (onChannels(this.rung)) {
					this.hop ??= new Hop(this.env.now(), this.rung);
					this.hop.carries(this.carrying);
				}
				this.events.onWelcome(message);
				if (!this.closed) this.probe(); // for its round trip
				break;
			case "refuse":
				this.refusal = message;
				this.refusedAt = this.env.now();
				this.env.debug("link: refused:", message.code, message.reason);
				break;
			case "end":
				this.onOver(message.code === "" ? { failure: failure("cut") } : { refusal: { ...message, remedy: "" } });
				break;
			default:
				if (message !== null) this.events.onSignal(message);
		}
	}

	private tick(): void {
		const now = this.env.now();
		if (now >= this.deadAt()) {
			this.onOver(SILENT);
			return;
		}
		const hop = this.hop?.step(now);
		if (hop?.probe || now >= this.probeAt()) this.probe();
		const mute = now >= this.proveBy;
		if (mute) this.proveBy = Infinity;
		if (mute || hop?.doubt) this.events.onDoubt();
		if (!this.closed) this.schedule();
	}

	private probe(): void {
		this.send(probeFrame(0, { ...this.prober.next(this.env.wall(), true), full: false }), false);
		// Also when it was refused: a queue that does not drain will be found out by the silence.
		this.sentAt = this.env.now();
		this.hop?.probed(this.sentAt);
	}

	/** probeAt is when the link is probed, whatever its hop says. */
	private probeAt(): number {
		if (!this.welcomed) return Infinity;
		return Math.max(Math.min(this.sentAt, this.heardAt) + PROBE_AFTER, this.sentAt + PROBE_AGAIN);
	}

	private deadAt(): number {
		return this.welcomed ? this.heardAt + DEAD_AFTER : this.born + WELCOME_WITHIN;
	}

	private schedule(): void {
		const hop = this.hop?.step(this.env.now()).wake ?? Infinity;
		this.alarm.set(Math.min(this.deadAt(), this.proveBy, hop, this.probeAt()));
	}
}

const SILENT: Ending = {
	refusal: { code: "silent", reason: "nothing was heard from the server", remedy: failure("cut").remedy },
};
