import { type Command, type Deadline, ended, type Outcome, type State } from "./message";
import type { Repeats } from "./repeats";

/** CallInfo is what is known of a call. */
export interface CallInfo {
	readonly id: string;
	readonly method: string;
	state: "sent" | State;
	progress: number | null;
	result: unknown;
	code: string;
	reason: string;
	tookUs: number;
	rttMs: number | null; // until the first word of the device; null: none came, or it was said before this page was loaded
	cancelling: boolean;
}

/** Calls that are over and remembered, so that an end which comes twice is known. */
const MAX_KEPT = 64;

const NO_TICK = "nothing was heard from the device's clock yet: it was not sent";

/** Calls follow each call from when it is said to its end. A call whose deadline has passed without an answer is asked for. */
export class Calls {
	private readonly all = new Map<string, CallInfo>();

	constructor(
		private readonly repeats: Repeats,
		private readonly changed: (call: CallInfo) => void,
	) {}

	/** call says a method; deadline null: no tick has come, so that no deadline can be given. */
	call(now: number, what: Call, deadline: Deadline | null, wait: number): void {
		const { id, method, params, fence } = what;
		const call = this.begin(id, method);
		if (deadline === null) {
			this.change(call, { state: "rejected", reason: NO_TICK });
			return;
		}
		const with_ = { ...(params === undefined ? {} : { params }), ...(fence === 0 ? {} : { fence }) };
		this.repeats.add(now, id, { type: "call", id, method, ...with_, ...deadline }, now + wait);
		this.changed(call);
	}

	/** ask what became of a call, also of one that was said before this page was loaded. */
	ask(now: number, id: string, method: string): void {
		const known = this.all.get(id);
		if (known !== undefined && ended(stateOf(known))) return;
		if (known === undefined) this.changed(this.begin(id, method));
		this.repeats.add(now, askKey(id), { type: "ask", id });
	}

	cancel(now: number, id: string): void {
		const call = this.all.get(id);
		if (call === undefined || ended(stateOf(call))) return;
		this.repeats.add(now, cancelKey(id), { type: "cancel", id });
		this.change(call, { cancelling: true });
	}

	/** heard takes an Outcome of type call. It returns what is to be said to that; null: nothing. */
	heard(now: number, outcome: Extract<Outcome, { type: "call" }>): Command | null {
		const { id, code, reason, progress, result, tookUs } = outcome;
		const call = this.all.get(id);
		const said = this.repeats.answered(id);
		this.repeats.answered(askKey(id));
		const state = outcome.state ?? (code === "" ? null : "rejected");
		const seen: Command | null = state !== null && ended(state) ? { type: "seen", id } : null;
		if (call === undefined || state === null || ended(stateOf(call)) || behind(state, call.state)) return seen;
		if (ended(state)) this.repeats.answered(cancelKey(id));
		this.change(call, {
			state,
			code,
			reason,
			tookUs,
			result: result ?? call.result,
			progress: progress ?? call.progress,
			rttMs: call.rttMs ?? (said === undefined ? null : now - said.since),
		});
		return seen;
	}

	/** unanswered: a call's deadline has passed. It may have run all the same, with its answers lost. */
	unanswered(now: number, id: string): void {
		const call = this.all.get(id);
		if (call === undefined) return;
		this.ask(now, id, call.method);
	}

	private begin(id: string, method: string): CallInfo {
		const call: CallInfo = {
			id,
			method,
			state: "sent",
			progress: null,
			result: undefined,
			code: "",
			reason: "",
			tookUs: 0,
			rttMs: null,
			cancelling: false,
		};
		this.all.set(id, call);
		this.prune();
		return call;
	}

	private change(call: CallInfo, to: Partial<CallInfo>): void {
		Object.assign(call, to);
		this.changed(call);
	}

	private prune(): void {
		for (const [id, call] of this.all) {
			if (this.all.size <= MAX_KEPT) return;
			if (ended(stateOf(call))) this.all.delete(id);
		}
	}
}

/** Call is what a screen wants done. */
export interface Call {
	id: string;
	method: string;
	params?: unknown;
	fence: number; // 0: the method needs no lease
}

const askKey = (id: string) => `ask ${id}`;
const cancelKey = (id: string) => `cancel ${id}`;

/** stateOf is a call's state as the device knows it: one that was said may not have come. */
function stateOf({ state }: CallInfo): State {
	return state === "sent" ? "received" : state;
}

/** behind: received comes late, over the slower path, when it is known to run. */
function behind(state: State, known: CallInfo["state"]): boolean {
	return state === "received" && known === "running";
}
