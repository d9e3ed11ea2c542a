import type { Conn } from "../peer/conn/conn";
import type { ConnEvents } from "../peer/conn/options";
import type { Env } from "../peer/env";
import type { Line } from "../peer/link/line";
import type { Operate } from "./operate";

/** A stop that nobody has answered is said for so long after the page has left its device, in ms; it looks for an answer this often. */
const PATIENCE = 30_000;
const LOOK = 250;

/** Place is where a Conn is found on a link. */
export interface Place {
	readonly line: Line;
	readonly number: number;
}

/** Parting is the Conn to a device that was left while a stop was on its way: it is said until it is answered (section 10.1). */
export class Parting {
	readonly device: string; // its name
	readonly conn: Conn;
	private readonly operate: Operate;
	private readonly until: number;
	private cancel: () => void;

	/** here and before are its places, as the Engine has them; over: it has ended, and whether the stop was answered. */
	constructor(
		private readonly env: Env,
		left: { device: string; conn: Conn; operate: Operate },
		public here: Place | null,
		public before: Place | null,
		private readonly over: (answered: boolean) => void,
	) {
		this.device = left.device;
		this.conn = left.conn;
		this.operate = left.operate;
		this.until = env.now() + PATIENCE;
		this.cancel = env.later(LOOK, () => this.look());
	}

	dispose(): void {
		this.cancel();
		this.operate.end();
		this.conn.dispose();
	}

	/** look: a path may be there now that was not. */
	private look(): void {
		this.operate.look();
		const answered = !this.operate.stopping;
		if (answered || this.env.now() >= this.until) this.over(answered);
		else this.cancel = this.env.later(LOOK, () => this.look());
	}
}

/** mutable hands events on until mute is called: from then on only those that control needs. */
export function mutable(events: ConnEvents): { events: ConnEvents; mute(): void } {
	let open = true;
	const whileOpen =
		<A extends unknown[]>(tell: (...told: A) => void) =>
		(...told: A) => {
			if (open) tell(...told);
		};
	const some: ConnEvents = {
		onBatch: whileOpen(events.onBatch),
		onCopy: whileOpen(events.onCopy),
		onDevice: whileOpen(events.onDevice),
		onRefused: whileOpen(events.onRefused),
		onStreams: whileOpen(events.onStreams),
		onPast: whileOpen(events.onPast),
		onPastDone: whileOpen(events.onPastDone),
		onGap: whileOpen(events.onGap),
		onStart: whileOpen(events.onStart),
		onFinal: whileOpen(events.onFinal),
		onRung: whileOpen(events.onRung),
		roomForPast: () => open && events.roomForPast(),
		onJoined: events.onJoined,
		onTick: events.onTick,
		onOutcome: events.onOutcome,
	};
	return {
		events: some,
		mute: () => {
			open = false;
		},
	};
}
