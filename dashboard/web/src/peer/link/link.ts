import { Alarm, type Env } from "../env";
import { type FromViewer, parse as parseSignal, type Refusal, type ToViewer } from "../signal";
import {
	codeByClose,
	codeByName,
	eachFrame,
	FormatError,
	type Frame,
	type Probe,
	parseProbe,
	type Retry,
	TYPE_PROBE,
	TYPE_SIGNAL,
} from "../wire";
import { retryDelay } from "./backoff";
import { echoFrame, probeFrame, signalFrame } from "./encode";
import { Prober } from "./prober";
import { offers } from "./subprotocol";

/** Something is sent at least this often, in ms; the default keep alive of section 6.2. */
const KEEP_ALIVE = 3_000;
/** A link that is silent for 1.5 × its keep alive is dead. */
const DEAD_AFTER = 1.5 * KEEP_ALIVE;
/** How long the upgrade and the welcome may take, in ms. */
const WELCOME_WITHIN = 10_000;
/** In the browser's buffer, in bytes: beyond it nothing is added that is repeated anyway. */
const QUEUE_SOFT = 64 * 1024;
/** In the browser's buffer, in bytes: beyond it nothing is added at all. */
const QUEUE_HARD = 1024 * 1024;

export interface LinkEvents {
	onConnecting(): void;
	/** the server welcomed us; opened: the request carried the open signal. */
	onUp(welcome: Extract<ToViewer, { type: "welcome" }>, opened: boolean): void;
	/** the link is over; retryIn in ms, null: not tried again. */
	onDown(refusal: Refusal, retryIn: number | null): void;
	/** a frame with a conn number. */
	onFrame(frame: Frame): void;
	/** the frames of a packet were all given to onFrame. */
	onPacketEnd(): void;
	/** a signal of the link itself that is not about its being. */
	onSignal(message: ToViewer): void;
}

export interface LinkOptions {
	env: Env;
	events: LinkEvents;
	/** opening is the open signal that the first request may carry; null: none. */
	opening(): FromViewer | null;
	/** dial makes the socket; tests put their own here. */
	dial?(url: string, protocols: string[]): WebSocket;
	/** why asks the server, by plain HTTP, why it refused: a browser does not tell. */
	why(url: string, token: string): Promise<Refusal | null>;
}

/** Link is the connection to the server. It is made again until close, or until the server says not to. */
export class Link {
	private readonly alarm: Alarm;
	private readonly prober = new Prober();
	private socket: WebSocket | null = null;
	private target: { url: string; token: string } | null = null;
	private opened = false; // the request carried an open
	private welcomed = false;
	private refusal: Refusal | null = null;
	private failures = 0;
	private retryAt = Infinity;
	private dialledAt = 0;
	private heardAt = 0;
	private sentAt = 0;

	constructor(private readonly options: LinkOptions) {
		this.alarm = new Alarm(options.env, () => this.tick());
	}

	/** connect begins, or begins anew with another address or token. */
	connect(url: string, token: string): void {
		this.drop();
		this.target = { url, token };
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

	get up(): boolean {
		return this.welcomed;
	}

	/** send hands over one whole frame. What need not arrive yields first when the network takes nothing. */
	send(frame: Uint8Array, mustArrive: boolean): boolean {
		const socket = this.socket;
		if (socket === null || !this.welcomed) return false;
		if (socket.bufferedAmount + frame.length > (mustArrive ? QUEUE_HARD : QUEUE_SOFT)) return false;
		socket.send(frame as Uint8Array<ArrayBuffer>);
		this.sentAt = this.options.env.now();
		return true;
	}

	signal(conn: number, message: FromViewer): boolean {
		return this.send(signalFrame(conn, message), true);
	}

	queueBytes(): number {
		return this.socket?.bufferedAmount ?? 0;
	}

	private dial(): void {
		if (this.target === null) return;
		const { env, events, opening } = this.options;
		this.retryAt = Infinity;
		this.refusal = null;
		this.dialledAt = this.heardAt = this.sentAt = env.now();
		const { protocols, opened } = offers(this.target.token, opening());
		this.opened = opened;
		events.onConnecting();
		try {
			this.adopt((this.options.dial ?? dialBrowser)(this.target.url, protocols));
		} catch (err) {
			// The address is none, or the page's policy forbids it: trying again changes nothing.
			const reason = err instanceof Error ? err.message : String(err);
			this.over({ code: "malformed", reason, remedy: "check the server's address" }, "never");
			return;
		}
		this.alarm.set(env.now() + WELCOME_WITHIN);
	}

	private adopt(socket: WebSocket): void {
		this.socket = socket;
		socket.binaryType = "arraybuffer";
		let upgraded = false;
		socket.onopen = () => {
			upgraded = true;
		};
		socket.onmessage = ({ data }: MessageEvent<unknown>) => {
			if (data instanceof ArrayBuffer) this.packet(new Uint8Array(data));
		};
		socket.onclose = ({ code, reason }) => this.closed(upgraded, code, reason);
	}

	private packet(packet: Uint8Array): void {
		const { env, events } = this.options;
		this.heardAt = env.now();
		const socket = this.socket;
		eachFrame(
			packet,
			(frame) => {
				if (this.socket !== socket) return; // a frame before this one ended the link
				if (frame.hop.conn !== 0) events.onFrame(frame);
				else this.own(frame);
			},
			(error) => env.debug("link: unreadable frame:", error.message),
		);
		events.onPacketEnd();
		this.schedule();
	}

	/** own handles a frame of the link itself; one that cannot be read is skipped. */
	private own(frame: Frame): void {
		try {
			if (frame.type === TYPE_PROBE) this.answer(parseProbe(frame.body));
			else if (frame.type === TYPE_SIGNAL) this.signalled(parseSignal(frame.body));
		} catch (error) {
			if (!(error instanceof FormatError)) throw error;
			this.options.env.debug("link: unreadable:", error.message);
		}
	}

	private answer(probe: Probe): void {
		const wall = this.options.env.wall();
		this.send(echoFrame(0, { ...probe, heard: true, t2: wall, t3: wall }), false);
	}

	private signalled(message: ToViewer | null): void {
		if (message?.type === "welcome") {
			this.welcomed = true;
			this.failures = 0;
			this.options.events.onUp(message, this.opened);
		} else if (message?.type === "refuse") {
			this.refusal = message;
		} else if (message !== null) {
			this.options.events.onSignal(message);
		}
	}

	/** closed: the socket is over, for whatever reason. */
	private closed(upgraded: boolean, status: number, reason: string): void {
		this.drop();
		const code = codeByClose(status);
		if (this.refusal !== null) this.over(this.refusal, codeByName(this.refusal.code).retry);
		else if (code !== null) this.over({ code: code.name, reason, remedy: "" }, code.retry);
		else if (upgraded) this.over(cut("the connection to the server was cut"), "backoff");
		else void this.ask();
	}

	/** ask finds out why the server did not even upgrade. */
	private async ask(): Promise<void> {
		const target = this.target;
		if (target === null) return;
		const told = await this.options.why(target.url, target.token);
		if (this.target !== target || this.socket !== null) return; // meanwhile something else was begun
		if (told === null) this.over(cut("the server cannot be reached"), "backoff");
		else this.over(told, codeByName(told.code).retry);
	}

	private over(refusal: Refusal, retry: Retry): void {
		this.failures++;
		const delay = this.target === null ? null : retryDelay(retry, this.failures, this.options.env.random);
		if (delay !== null) this.retryAt = this.options.env.now() + delay;
		this.options.env.debug("link: over:", refusal, "retry in ms:", delay);
		this.options.events.onDown(refusal, delay);
		this.schedule();
	}

	private tick(): void {
		const now = this.options.env.now();
		if (this.socket === null) {
			if (now >= this.retryAt) this.dial();
		} else if (now >= this.deadAt()) {
			this.drop();
			this.over({ ...cut("nothing was heard from the server"), code: "silent" }, "now");
		} else if (this.welcomed && now - this.sentAt >= KEEP_ALIVE) {
			this.send(probeFrame(0, { ...this.prober.next(this.options.env.wall(), true), full: false }), false);
			// Also when it was refused: a buffer that does not drain will be found out by the silence.
			this.sentAt = now;
		}
		this.schedule();
	}

	private deadAt(): number {
		return this.welcomed ? this.heardAt + DEAD_AFTER : this.dialledAt + WELCOME_WITHIN;
	}

	private schedule(): void {
		if (this.socket === null) this.alarm.set(this.retryAt);
		else this.alarm.set(Math.min(this.deadAt(), this.welcomed ? this.sentAt + KEEP_ALIVE : Infinity));
	}

	/** drop forgets the socket without another word to it. */
	private drop(): void {
		const socket = this.socket;
		this.socket = null;
		this.welcomed = false;
		if (socket === null) return;
		socket.onopen = socket.onmessage = socket.onclose = null;
		socket.close();
	}
}

function dialBrowser(url: string, protocols: string[]): WebSocket {
	return new WebSocket(url, protocols);
}

function cut(reason: string): Refusal {
	return { code: "", reason, remedy: "it is tried again by itself; check the network if this stays" };
}
