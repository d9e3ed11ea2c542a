import type { Command } from "./message";

/** The first repeat comes after this time or two round trips, whichever is longer; the pause doubles up to MOST. In ms. */
const FIRST = 100;
const MOST = 1_000;
/** A stop is repeated this often, in ms. */
const STOP = 50;

/** Awaited is a command that was said and not answered yet. */
export interface Awaited {
	readonly key: string; // of what answers it
	readonly command: Command;
	readonly since: number;
	readonly until: number; // said no more from then on
	said: number; // how often
	next: number;
}

/** Repeats say commands again until what answers them comes (section 10.1). Pure: its owner sends what is due. */
export class Repeats {
	private readonly all = new Map<string, Awaited>();

	/** add a command, due now; until: Infinity where it has no deadline. */
	add(now: number, key: string, command: Command, until = Infinity): void {
		this.all.set(key, { key, command, since: now, until, said: 0, next: now });
	}

	/** answered takes a command off and returns it; undefined: none waited for this. */
	answered(key: string): Awaited | undefined {
		const found = this.all.get(key);
		this.all.delete(key);
		return found;
	}

	/** answeredBy is the same for one whose key is not its id. */
	answeredBy(key: string, id: string): Awaited | undefined {
		const command = this.all.get(key)?.command;
		return command !== undefined && "id" in command && command.id === id ? this.answered(key) : undefined;
	}

	/** due are those to be said now, stops first: nothing that else is due gets in their way. rtt of the best path, in ms. */
	due(now: number, rtt: number): Awaited[] {
		const all = [...this.all.values()].filter((one) => now >= one.next && now < one.until);
		const due = [...all.filter(isStop), ...all.filter((one) => !isStop(one))];
		for (const one of due) {
			one.next = now + pause(one, rtt);
			one.said++;
		}
		return due;
	}

	/** over are those whose time has passed without an answer; they are taken off. */
	over(now: number): Awaited[] {
		const over = [...this.all.values()].filter((one) => now >= one.until);
		for (const { key } of over) this.all.delete(key);
		return over;
	}

	has(key: string): boolean {
		return this.all.has(key);
	}

	/** wake is when something is due or over; without a path nothing is due. */
	wake(path: boolean): number {
		const at = ({ next, until }: Awaited) => (path ? Math.min(next, until) : until);
		return Math.min(...[...this.all.values()].map(at), Infinity);
	}
}

function isStop({ command }: Awaited): boolean {
	return command.type === "stop";
}

function pause(one: Awaited, rtt: number): number {
	if (isStop(one)) return STOP;
	return Math.min(MOST, Math.max(FIRST, 2 * rtt) * 2 ** Math.min(one.said, 10));
}
