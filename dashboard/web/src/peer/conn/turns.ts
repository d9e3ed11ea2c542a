import type { TurnServer } from "../signal";

/** For so long no direct connection works before a turned one is made, in ms: that costs the TURN server something at each end. */
const TURNED_AFTER = 2_000;
/** For so long a direct connection works without a break before the turned one beside it is given up, in ms. */
const SPARE = 60_000;
/** Credentials older than this are asked for again before they are used, in ms. That takes no clock that is right. */
const STALE = 10 * 60_000;

/** Turns decide whether a turned connection is worth what it costs. Pure: they are told what is. */
export class Turns {
	private list: TurnServer[] = [];
	private toldAt = 0;
	private lacking = 0; // when a direct connection worked last, or the device accepted us without
	private standing: number | null = null; // since when one works without a break; null: none does

	/** servers that may be used. */
	get servers(): readonly TurnServer[] {
		return this.list;
	}

	/** tell: the server has told these, just now. */
	tell(now: number, servers: TurnServer[]): void {
		this.list = servers;
		this.toldAt = now;
	}

	/** lack: from now on a direct connection is waited for. */
	lack(now: number): void {
		this.lacking = Math.max(this.lacking, now);
	}

	/** stand notes whether a direct connection works. It returns until when a spare is worth having: "over", or a time. */
	stand(now: number, works: boolean): number | "over" {
		if (!works) {
			this.standing = null;
			return Infinity;
		}
		this.lacking = now;
		this.standing ??= now;
		return now >= this.standing + SPARE ? "over" : this.standing + SPARE;
	}

	/** from is when a turned connection may begin, if still no direct one works. */
	get from(): number {
		return this.lacking + TURNED_AFTER;
	}

	stale(now: number): boolean {
		return now >= this.toldAt + STALE;
	}
}
