import { operatorOf } from "./key";
import type { Command, Deadline, Do, Operator, Outcome } from "./message";
import type { Repeats } from "./repeats";

/** LeaseInfo is who holds the lease, as the device told last. */
export interface LeaseInfo {
	holder: Operator | null; // null: nobody
	mine: boolean;
	asks: Operator[];
	/** this page's request is among the asks, or on its way there. */
	asking: boolean;
	/** the last thing that this page asked for was refused, or denied by the holder; "": it was not. */
	code: string;
	reason: string;
	/** it was this page's, and was not renewed in time, or somebody else has it now; false: it was given back, or never had. */
	lost: boolean;
}

/** Identity is who asks: the key is a secret of the page, the name is what others see. */
export interface Identity {
	key: string;
	name: string;
}

/** The holder says `renew` this often; what is said of the lease may wait for so long. In ms. */
const RENEW_EVERY = 1_000;
export const WAIT = 1_000;

/** Lease keeps the lease while this page has it, and knows who has it otherwise (section 10.3). */
export class Lease {
	readonly info: LeaseInfo = { holder: null, mine: false, asks: [], asking: false, code: "", reason: "", lost: false };
	fence = 0;
	/** until when it is this page's if nothing is heard; of the monotonic clock. */
	until = 0;
	private renewAt = Infinity;
	/** What was asked for by this page's user, by id; renewals are not in it. */
	private readonly asked = new Map<string, Do>();

	constructor(
		private readonly identity: Identity,
		private readonly repeats: Repeats,
	) {}

	/** do asks for something. deadline null: no tick has come; nothing is said then. */
	do(now: number, id: string, what: Do, deadline: Deadline | null, to?: string): boolean {
		if (deadline === null) return false;
		const { key, name } = this.identity;
		const command: Command = {
			type: "lease",
			id,
			do: what,
			key,
			name,
			...(to === undefined ? {} : { to }),
			...deadline,
		};
		this.repeats.add(now, id, command, now + WAIT);
		if (what !== "renew") {
			this.asked.set(id, what);
			Object.assign(this.info, { code: "", reason: "", asking: what === "request" });
		}
		if (what === "release") this.end(false);
		return true;
	}

	/** heard takes an Outcome of type lease. */
	heard(now: number, outcome: Extract<Outcome, { type: "lease" }>): void {
		const { id, fence, holder, mine, ttlMs, asks, code, reason } = outcome;
		const answered = this.repeats.answered(id);
		const what = this.asked.get(id);
		this.asked.delete(id);
		Object.assign(this.info, { holder, asks });
		// What all are told has no code, and says nothing of a refusal; with one, and without an id, it is the holder's denial.
		const refusal = code !== "" && (what !== undefined || id === "");
		if (refusal || what !== undefined || (mine && !this.info.mine)) Object.assign(this.info, { code, reason });
		if (refusal || mine || !this.waits) this.info.asking = false;
		if (mine && !this.releasing) {
			this.fence = fence;
			// The device counted from when it granted it, which was after it was asked to.
			this.until = (answered?.since ?? now) + ttlMs;
			if (!this.info.mine) this.renewAt = now + RENEW_EVERY;
			Object.assign(this.info, { mine: true, lost: false });
		} else if (!mine && this.info.mine) this.end(what !== "give");
	}

	/** unanswered: something that was asked for was not answered in its time. */
	unanswered(id: string): void {
		if (!this.asked.delete(id)) return;
		Object.assign(this.info, { code: "late", reason: "the device did not answer in time", asking: this.waits });
	}

	/** joined: with another Conn a request is over; true: there was one. */
	joined(): boolean {
		const { asking } = this.info;
		this.info.asking = false;
		return asking;
	}

	/** due says whether it is to be renewed now. */
	due(now: number): boolean {
		if (now < this.renewAt) return false;
		this.renewAt = now + RENEW_EVERY;
		return true;
	}

	/** expired ends it when it was not renewed in its time; true: it just did. */
	expired(now: number): boolean {
		if (!this.info.mine || now < this.until) return false;
		this.end(true);
		return true;
	}

	wake(): number {
		return Math.min(this.renewAt, this.info.mine ? this.until : Infinity);
	}

	private get releasing(): boolean {
		return this.isAsked("release");
	}

	/** waits says whether the device has this page's request, or may get it still. The denial of one may be lost. */
	private get waits(): boolean {
		const me = operatorOf(this.identity.key);
		return this.isAsked("request") || this.info.asks.some(({ id }) => id === me);
	}

	private isAsked(what: Do): boolean {
		return [...this.asked.values()].includes(what);
	}

	private end(lost: boolean): void {
		Object.assign(this.info, { mine: false, lost });
		this.renewAt = Infinity;
	}
}
