import { LINK_RUNGS, type LinkRung } from "../carrier/link-carrier";
import { type Failure, type FailureName, failure, isFailureName } from "../failures";
import { height } from "../ladder";

/** Carried is what is remembered of a network: the rung that carried the link there, and why the better ones did not. */
export interface Carried {
	rung: LinkRung;
	since: number; // when that was found out, ms since the Unix epoch
	failures: Partial<Record<LinkRung, FailureName>>;
}

/** What is known of a network holds for so long, in ms (section 6.8). */
export const KNOWN_FOR = 10 * 60_000;

/** A link that fell silent so soon, in ms, was let through only at first. */
const YOUNG = 20_000;
/** After so many of those in a row others are tried first. */
const ENOUGH = 2;

/** Verdicts are what this end knows of the rungs of a link, on the network as it is. */
export class Verdicts {
	private readonly failures = new Map<LinkRung, Failure>();
	private readonly stalls = new Map<LinkRung, number>(); // in a row

	failed(rung: LinkRung, why: Failure): void {
		this.failures.set(rung, why);
	}

	/** carries: a frame came on it. */
	carries(rung: LinkRung): void {
		this.failures.delete(rung);
	}

	/** silent: a link fell silent at an age in ms. Once is anybody's bad luck; again and soon, something between lets only the beginning through. */
	silent(rung: LinkRung, age: number): void {
		this.stalls.set(rung, age < YOUNG ? (this.stalls.get(rung) ?? 0) + 1 : 0);
		if (this.stalling(rung)) this.failed(rung, failure(rung === "ws" ? "upgrade-stalled" : "stream-buffered"));
	}

	/** order puts those that keep falling silent behind the others. */
	order(rungs: readonly LinkRung[]): LinkRung[] {
		const stalling = (rung: LinkRung) => this.stalling(rung);
		return [...rungs.filter((rung) => !stalling(rung)), ...rungs.filter(stalling)];
	}

	clear(): void {
		this.failures.clear();
		this.stalls.clear();
	}

	/** of is why a rung does not carry; null: nothing is known against it. */
	of(rung: LinkRung): Failure | null {
		return this.failures.get(rung) ?? null;
	}

	private stalling(rung: LinkRung): boolean {
		return (this.stalls.get(rung) ?? 0) >= ENOUGH;
	}

	/** worst is what to tell somebody who has no link at all: the failure that says the most. */
	worst(): Failure | null {
		const all = [...this.failures.values()];
		return all.find((f) => f.name !== "unanswered" && f.name !== "timeout") ?? all[0] ?? null;
	}

	/** above are the rungs that are better than one and failed, best first. */
	above(rung: LinkRung): LinkRung[] {
		return LINK_RUNGS.filter((other) => height(other) < height(rung) && this.failures.has(other));
	}

	/** remember is what a later visit should know. */
	remember(rung: LinkRung, since: number): Carried {
		const failures: Carried["failures"] = {};
		for (const other of this.above(rung)) {
			const name = this.failures.get(other)?.name ?? "";
			if (isFailureName(name)) failures[other] = name;
		}
		return { rung, since, failures };
	}

	/** recall takes up what an earlier visit knew. */
	recall({ failures }: Carried): void {
		for (const rung of LINK_RUNGS) {
			const name = failures[rung];
			if (name !== undefined) this.failures.set(rung, failure(name));
		}
	}
}
