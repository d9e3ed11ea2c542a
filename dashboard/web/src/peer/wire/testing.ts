// What the tests of the pure core share: golden files, and chance that repeats.

import { readdirSync, readFileSync } from "node:fs";
import { FormatError } from "./fault";

/** The repository's root: the golden files lie beside the Go packages. */
const ROOT = new URL("../../../../../", import.meta.url);

/** repoFile reads a file of the repository. */
export function repoFile(path: string): string {
	return readFileSync(new URL(path, ROOT), "utf8");
}

/** repoFiles lists the files of a folder whose names end so. */
export function repoFiles(folder: string, ending: string): string[] {
	return readdirSync(new URL(folder, ROOT))
		.filter((name) => name.endsWith(ending))
		.map((name) => `${folder}${name}`);
}

export function unhex(text: string): Uint8Array {
	return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function hex(bytes: Uint8Array): string {
	return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** faultOf runs f and returns the fault of its FormatError; null if it returned. Anything else that it throws, it throws. */
export function faultOf(f: () => unknown): string | null {
	try {
		f();
		return null;
	} catch (error) {
		if (error instanceof FormatError) return error.fault;
		throw error;
	}
}

/** Random is a small generator (mulberry32): the same seed makes the same test. */
export class Random {
	constructor(private state: number) {}

	/** next is in [0, 1). */
	next(): number {
		this.state = (this.state + 0x6d2b79f5) | 0;
		let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	}

	/** int is in from … to, both included. */
	int(from: number, to: number): number {
		return from + Math.floor(this.next() * (to - from + 1));
	}

	bool(): boolean {
		return this.next() < 0.5;
	}

	pick<T>(of: readonly T[]): T {
		const chosen = of[this.int(0, of.length - 1)];
		if (chosen === undefined) throw new Error("nothing to pick from");
		return chosen;
	}

	/** magnitude is 0 … 2^bits − 1 with every length of number as likely as another. */
	magnitude(bits: number): number {
		return Math.floor(this.next() * 2 ** this.int(0, bits));
	}

	bytes(n: number): Uint8Array {
		return Uint8Array.from({ length: n }, () => this.int(0, 255));
	}

	/** damage returns a copy cut short, with bits flipped, lengthened or with a part of it twice. */
	damage(bytes: Uint8Array): Uint8Array {
		const copy = Array.from(bytes);
		for (let n = this.int(1, 4); n > 0; n--) {
			const at = this.int(0, copy.length);
			switch (this.int(0, 3)) {
				case 0:
					copy.length = at;
					break;
				case 1:
					copy.splice(at, 0, ...this.bytes(this.int(1, 9)));
					break;
				case 2:
					copy.splice(at, 0, ...copy.slice(0, at));
					break;
				default:
					copy[at] = (copy[at] ?? 0) ^ (1 << this.int(0, 7));
			}
		}
		return Uint8Array.from(copy);
	}
}
