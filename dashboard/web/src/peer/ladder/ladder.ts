import { better, type Rank } from "./better";
import { Carrier } from "./carrier";
import { type Config, DEFAULTS } from "./config";
import { HoldDown } from "./hold-down";
import { RUNGS, type Rung } from "./rung";
import { type Decision, step } from "./step";

/** NEVER is a wake that does not come: nothing will change without an event. */
export const NEVER = Infinity;

/** State is what is known of one carrier, to be shown. Times are in ms. */
export interface State {
	rung: Rung;
	rtt: number; // smoothed; 0: not measured yet
	least: number; // the smallest of the latest; 0: not measured yet
	variation: number; // mean deviation of rtt
	lastHeard: number; // when something came last; when it opened, if nothing did
	late: boolean; // in use, and half of the wait for an answer is over: doubt may follow
	inDoubt: boolean; // was proved, and is not answering now
	usable: boolean; // proved both ways, and not dead since
	inUse: boolean; // by the last step
}

/** Ladder chooses among the carriers of one Conn, for what this end sends. */
export class Ladder {
	readonly cfg: Config;
	carriers: Carrier[] = []; // in order of birth
	chosen: Carrier | null = null; // null: no path
	unwatched = false;
	resting = false;
	private readonly holds = new Map(RUNGS.map((rung) => [rung, new HoldDown()]));
	private births = 0;

	constructor(cfg: Partial<Config> = {}) {
		this.cfg = { ...DEFAULTS, ...cfg };
	}

	/** up adds a carrier that opened. It is not used before its first proof. An id that is up already is left as it is. */
	up(now: number, id: number, rung: Rung): void {
		if (this.find(id) === undefined) this.carriers.push(new Carrier(now, id, ++this.births, rung));
	}

	/** rerung notes that a carrier has found another way to the same end. What is known of it stays. */
	rerung(id: number, rung: Rung): void {
		const carrier = this.find(id);
		if (carrier !== undefined) carrier.rung = rung;
	}

	/** down removes a carrier that is closed. */
	down(now: number, id: number): void {
		const gone = this.find(id);
		if (gone === undefined) return;
		this.carriers = this.carriers.filter((c) => c !== gone);
		this.lose(now, gone);
	}

	/** heard notes that a frame from the other end came on a carrier. */
	heard(now: number, id: number): void {
		this.find(id)?.heard(now);
	}

	/** proved notes that an Echo came: the carrier works both ways. rtt ≤ 0: the proof is of another kind, nothing was measured. */
	proved(now: number, id: number, rtt: number): void {
		this.find(id)?.proved(now, rtt);
	}

	/** doubt notes that the other end's probe said heard = 0. Call heard, too, and before it: the probe itself came through. */
	doubt(now: number, id: number): void {
		if (!this.unwatched) this.find(id)?.doubted(now);
	}

	/**
	 * watch says whether anybody watches. While nobody does there are no probes,
	 * hence no doubt: what is in use stays so.
	 */
	watch(now: number, on: boolean): void {
		if (this.unwatched === !on) return;
		this.unwatched = !on;
		for (const c of this.carriers) c.watched(now);
	}

	/** rest says whether nobody waits for what is sent here. Then what is in use is probed at a spare's pace, and doubted as late. */
	rest(on: boolean): void {
		this.resting = on;
	}

	/** probed notes that a probe was just sent on a carrier. */
	probed(now: number, id: number): void {
		this.find(id)?.probed(now);
	}

	/**
	 * heardRecently is the `heard` flag of a probe sent on the carrier now:
	 * whether something came from the other end within our doubt time.
	 */
	heardRecently(now: number, id: number): boolean {
		const c = this.find(id);
		return c?.everHeard === true && (this.unwatched || now < c.doubtAt(this.cfg));
	}

	/** step decides for now. Call it after any event, and at wake. Calling it more often changes nothing. */
	step(now: number): Decision {
		return step(this, now);
	}

	/** state is a carrier's state; that of a carrier that never was, if it is not up. */
	state(id: number): State {
		const c = this.find(id);
		return {
			rung: c?.rung ?? "udp",
			rtt: c?.rtt.rtt ?? 0,
			least: c?.rtt.low ?? 0,
			variation: c?.rtt.variation ?? 0,
			lastHeard: c?.lastHeard ?? 0,
			late: c?.late ?? false,
			inDoubt: c !== undefined && (c.silent || c.unheard),
			usable: c?.usable ?? false,
			inUse: c?.inUse ?? false,
		};
	}

	/**
	 * lose gives up a carrier that died or closed. If it was the chosen one, its
	 * rung may have to stay longer next time.
	 */
	lose(now: number, c: Carrier): void {
		if (this.chosen !== c) return;
		const trouble = c.isSound() ? now : c.trouble;
		this.holds.get(c.rung)?.death(now, c.taken, trouble, this.cfg);
		this.chosen = null;
	}

	/** holdDown is how long a carrier has to stay sound before it is used alone. */
	holdDown(now: number, c: Carrier): number {
		return this.holds.get(c.rung)?.current(now, this.cfg) ?? this.cfg.stay;
	}

	/** best is the best of the carriers that fit; null if none does. */
	best(fits: (c: Carrier) => boolean): Carrier | null {
		let best: Carrier | null = null;
		for (const c of this.carriers) {
			if (fits(c) && (best === null || better(this.rank(c), this.rank(best)))) best = c;
		}
		return best;
	}

	private rank(c: Carrier): Rank {
		return { sound: c.isSound(), height: c.height, used: c.inUse, born: c.born };
	}

	private find(id: number): Carrier | undefined {
		return this.carriers.find((c) => c.id === id);
	}
}
