import { FormatError } from "./fault";

/**
 * Members reads a JSON object that came from elsewhere. It narrows each member
 * once: one that is missing or null has its zero value, as in Go, and one of
 * another type makes the whole unreadable.
 */
export class Members {
	private readonly object: Readonly<Record<string, unknown>>;

	constructor(value: unknown) {
		if (typeof value !== "object" || value === null || Array.isArray(value)) {
			throw new FormatError("signal", "not a JSON object");
		}
		this.object = value as Record<string, unknown>;
	}

	/** has reports whether a member is there and not null. */
	has(name: string): boolean {
		return Object.hasOwn(this.object, name) && this.object[name] !== null;
	}

	/** any is a member as it is. */
	any(name: string): unknown {
		return this.has(name) ? this.object[name] : undefined;
	}

	text(name: string): string {
		const value = this.any(name) ?? "";
		return typeof value === "string" ? value : refuse(name, "string");
	}

	bool(name: string): boolean {
		const value = this.any(name) ?? false;
		return typeof value === "boolean" ? value : refuse(name, "boolean");
	}

	/** number is finite. */
	number(name: string): number {
		const value = this.any(name) ?? 0;
		return typeof value === "number" && Number.isFinite(value) ? value : refuse(name, "number");
	}

	/** uint is an integer of 0 … 2^53 − 1. */
	uint(name: string): number {
		const value = this.any(name) ?? 0;
		return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : refuse(name, "integer");
	}

	/** list reads each element. */
	list<T>(name: string, read: (element: unknown) => T): T[] {
		const value = this.any(name) ?? [];
		return Array.isArray(value) ? value.map(read) : refuse(name, "list");
	}

	/** texts are the members of an object of strings. */
	texts(name: string): [string, string][] {
		if (!this.has(name)) return [];
		const inner = new Members(this.any(name));
		return Object.keys(inner.object).map((key) => [key, inner.text(key)]);
	}
}

function refuse(name: string, want: string): never {
	throw new FormatError("signal", `member ${name} is no ${want}`);
}
