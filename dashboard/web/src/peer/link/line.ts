import type { Ending, LinkCarrier, LinkCarrierEvents, LinkRung } from "../carrier/link-carrier";
import type { SharedLink } from "../carrier/share";
import { Alarm, type Env } from "../env";
import { type Failure, failure } from "../failures";
import { type FromViewer, parse as parseSignal, type Refusal, type ToViewer } from "../signal";
import { eachFrame, FormatError, type Frame, type Probe, parseProbe, TYPE_PROBE, TYPE_SIGNAL } from "../wire";
import { echoFrame, probeFrame, signalFrame } from "./encode";
import { Prober } from "./prober";

/** Something is sent at least this often, in ms; the default keep alive of section 6.2. */
const KEEP_ALIVE = 3_000;
/** A link that is silent for 1.5 × its keep alive is dead. */
const DEAD_AFTER = 1.5 * KEEP_ALIVE;
/** How long the welcome may take after the first frame, in ms. */
const WELCOME_WITHIN = 10_000;
/** How long the answer may take when there is a reason for doubt, in ms. */
const PROVE_WITHIN = 1_500;
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
	/** the line is over and closed. */
	onOver(ending: Ending): void;
}

/** Line is the link to the server as long as it is on one carrier: from that one's first packet to its end. */
export class Line implements SharedLink, LinkCarrierEvents {
	private readonly alarm: Alarm;
	private readonly prober = new Prober();
	private readonly born: number;
	private welcomed = false;
	private closed = false;
	private refusal: Refusal | null = null;
	private intercepted = false;
	private heardAt: number;
	private sentAt: number;
	private proveBy = Infinity;

	constructor(
		private readonly env: Env,
		private readonly carrier: LinkCarrier,
		private readonly events: LineEvents,
	) {
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

	/** prove asks the server for a sign of life at once: the network may have changed under the line. */
	prove(): void {
		this.probe();
		this.proveBy = Math.min(this.proveBy, this.env.now() + PROVE_WITHIN);
		this.schedule();
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
		this.events.onOver(this.refusal === null ? ending : { refusal: this.refusal });
	}

	private frame(frame: Frame): void {
		if (this.closed) return; // a frame before this one ended the line
		if (frame.hop.conn !== 0) this.events.onFrame(frame);
		else this.own(frame);
	}

	/** own handles a frame of the link itself; one that cannot be read is skipped. */
	private own(frame: Frame): void {
		try {
			if (frame.type === TYPE_PROBE) this.answer(parseProbe(frame.body));
			else if (frame.type === TYPE_SIGNAL) this.signalled(parseSignal(frame.body));
		} catch (error) {
			if (!(error instanceof FormatError)) throw error;
			this.env.debug("link: unreadable:", error.message);
		}
	}

	private answer(probe: Probe): void {
		const wall = this.env.wall();
		this.send(echoFrame(0, { ...probe, heard: true, t2: wall, t3: wall }), false);
	}

	private signalled(message: ToViewer | null): void {
		switch (message?.type) {
			case undefined:
				break; // a signal of a later version
			case "welcome":
				this.welcomed = true;
				this.intercepted = message.intercepted;
				this.events.onWelcome(message);
				break;
			case "refuse":
				this.refusal = message;
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
		if (this.welcomed && now - this.sentAt >= KEEP_ALIVE) this.probe();
		this.schedule();
	}

	private probe(): void {
		this.send(probeFrame(0, { ...this.prober.next(this.env.wall(), true), full: false }), false);
		// Also when it was refused: a queue that does not drain will be found out by the silence.
		this.sentAt = this.env.now();
	}

	private deadAt(): number {
		return this.welcomed ? Math.min(this.heardAt + DEAD_AFTER, this.proveBy) : this.born + WELCOME_WITHIN;
	}

	private schedule(): void {
		this.alarm.set(Math.min(this.deadAt(), this.welcomed ? this.sentAt + KEEP_ALIVE : Infinity));
	}
}

const SILENT: Ending = {
	refusal: { code: "silent", reason: "nothing was heard from the server", remedy: failure("cut").remedy },
};
