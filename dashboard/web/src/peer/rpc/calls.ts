import { type Command, ended, type Outcome, type Progress } from "./message";
import type { Repeats } from "./repeats";
import type { Ticks } from "./ticks";

/** CallInfo is what is known of a call. */
export interface CallInfo {
	readonly id: string;
	readonly method: string;
	state: Progress;
	progress: number | null;
	result: unknown;
	code: string;
	reason: string;
	tookUs: number;
	rttMs: number | null; // until the first word of the device; null: none came, or it was said before this page was loaded
	cancelling: boolean;
}

/** waitingCall is one of which nothing has been said yet. */
export function waitingCall(id: string, method: string): CallInfo {
	return {
		id,
		method,
		state: "waiting",
		progress: null,
		result: undefined,
		code: "",
		reason: "",
		tookUs: 0,
		rttMs: null,
		cancelling: false,
	};
}

/** Wanted is a call to be made. */
export interface Wanted {
	id: string;
	method: string;
	params?: unknown;
	lease: boolean; // the method needs it
	wait: number; // it does not begin later than that from now, in ms
}

/** Calls that are over and remembered, so that an end which comes twice is known. */
const MAX_KEPT = 64;
/** For so long a device is asked what became of a call that it never answered, and of one that it knows, in ms. */
const ASK = 5_000;
const RECALL = 60_000;
/** A call that the device knows may be without news for so long until it is asked, in ms. */
const SILENCE = 3_000;

/** Call is one that is followed. */
interface Call {
	readonly info: CallInfo;
	readonly wanted: Wanted | null; // null: said before this page was loaded
	readonly until: number; // its deadline
	heard: number; // when the device said something of it last
	known: boolean; // the device has said something of it
	guessed: boolean; // it has ended without a word of the device, which may come all the same
}

/** Calls follow each call from when it is wanted to its end (section 10.2). */
export class Calls {
	private readonly all = new Map<string, Call>();

	constructor(
		private readonly repeats: Repeats,
		private readonly ticks: Ticks,
		private readonly changed: (call: CallInfo) => void,
	) {}

	/** begin follows a call; refused: it cannot be made, and why. */
	begin(now: number, wanted: Wanted, refused: { code: string; reason: string } | null): void {
		const call = this.add(wanted.id, wanted.method, wanted, now + wanted.wait);
		this.change(call, refused === null ? {} : { state: "rejected", ...refused });
	}

	/** ask what became of a call that was said before this page was loaded. */
	ask(now: number, id: string, method: string): void {
		if (this.all.has(id)) return;
		const call = this.add(id, method, null, now);
		this.change(call, { state: "sent" });
		this.repeats.add(now, askKey(id), { type: "ask", id }, now + RECALL);
	}

	cancel(now: number, id: string): void {
		const call = this.all.get(id);
		if (call === undefined || ended(call.info.state)) return;
		if (call.info.state === "waiting") {
			this.repeats.answered(id);
			this.change(call, { state: "rejected", code: "cancelled", reason: "it was not sent" });
			return;
		}
		this.repeats.add(now, cancelKey(id), { type: "cancel", id }, now + RECALL);
		this.change(call, { cancelling: true });
	}

	/** said: a command went out. */
	said(command: Command): void {
		if (command.type !== "call") return;
		const call = this.all.get(command.id);
		if (call?.info.state === "waiting") this.change(call, { state: "sent" });
	}

	/** heard takes an Outcome of type call. It returns what is to be said to that; null: nothing. */
	heard(now: number, outcome: Extract<Outcome, { type: "call" }>): Command | null {
		const { id, state, code, reason, progress, result, tookUs } = outcome;
		if (state === null) return null; // it says nothing of the call: that is asked for until it is
		const call = this.all.get(id);
		const said = this.repeats.answered(id);
		this.repeats.answered(askKey(id));
		const seen: Command | null = ended(state) ? { type: "seen", id } : null;
		if (call === undefined || (ended(call.info.state) && !call.guessed)) return seen;
		if (state === "received" && call.info.state === "running") return null; // late, over the slower path
		if (ended(state)) this.repeats.answered(cancelKey(id));
		Object.assign(call, { heard: now, known: true, guessed: false });
		const { info } = call;
		this.change(call, {
			state,
			code,
			reason,
			tookUs,
			result: result ?? info.result,
			progress: progress === null ? info.progress : Math.max(progress, info.progress ?? 0),
			rttMs: info.rttMs ?? (said === undefined ? null : now - said.since),
		});
		return seen;
	}

	/** over: nothing answered a command of a call in its time. */
	over(now: number, command: Extract<Command, { type: "call" | "ask" }>): void {
		const call = this.all.get(command.id);
		if (call === undefined || ended(call.info.state)) return;
		// It may have run, with its answers lost.
		if (command.type === "call" && call.info.state === "sent") this.askFor(now, call, ASK);
		else if (command.type === "ask") {
			this.guess(
				call,
				"unknown",
				"",
				call.known ? "the device has not said how it ended" : "no answer from the device: it may have run",
			);
		}
	}

	/** step says what waits as soon as a deadline can be given, ends what could not be sent in time, and asks for what is silent. */
	step(now: number, fence: number): void {
		for (const call of this.all.values()) {
			if (call.info.state === "waiting") this.send(now, call, fence);
			else if (this.silent(call) && now >= call.heard + SILENCE) this.askFor(now, call, RECALL);
		}
	}

	wake(): number {
		let at = Infinity;
		for (const call of this.all.values()) {
			if (call.info.state === "waiting") at = Math.min(at, call.until);
			else if (this.silent(call)) at = Math.min(at, call.heard + SILENCE);
		}
		return at;
	}

	private send(now: number, call: Call, fence: number): void {
		const { wanted, until } = call;
		if (wanted === null) return;
		const { id, method, params, lease } = wanted;
		if (now >= until) {
			this.repeats.answered(id);
			const why = this.ticks.newest === null ? "the device's clock was not known" : "there was no path to the device";
			this.guess(call, "expired", "late", `it was not sent: ${why}`);
			return;
		}
		const deadline = this.ticks.by(now, until - now);
		if (deadline === null || this.repeats.has(id)) return;
		const with_ = { ...(params === undefined ? {} : { params }), ...(lease ? { fence } : {}) };
		this.repeats.add(now, id, { type: "call", id, method, ...with_, ...deadline }, until);
	}

	/** silent: the device knows it, it is under way, and it was not asked for yet. */
	private silent({ known, info }: Call): boolean {
		return known && !ended(info.state) && !this.repeats.has(askKey(info.id));
	}

	private askFor(now: number, { info }: Call, patience: number): void {
		this.repeats.add(now, askKey(info.id), { type: "ask", id: info.id }, now + patience);
	}

	private guess(call: Call, state: Progress, code: string, reason: string): void {
		call.guessed = true;
		this.change(call, { state, code, reason });
	}

	private add(id: string, method: string, wanted: Wanted | null, until: number): Call {
		const info = waitingCall(id, method);
		const call = { info, wanted, until, heard: 0, known: false, guessed: false };
		this.all.set(id, call);
		this.prune();
		return call;
	}

	private change(call: Call, to: Partial<CallInfo>): void {
		Object.assign(call.info, to);
		this.changed(call.info);
	}

	private prune(): void {
		for (const [id, { info }] of this.all) {
			if (this.all.size <= MAX_KEPT) return;
			if (ended(info.state)) this.all.delete(id);
		}
	}
}

const askKey = (id: string) => `ask ${id}`;
const cancelKey = (id: string) => `cancel ${id}`;
