import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { identity, keepCalls, keepHeld, leaveKey, openCalls, rename, takeKey, wasHeld } from "./identity";

/** storage is a tab's, or a copy of another's. */
function storage(of: Iterable<[string, string]> = []) {
	const kept = new Map(of);
	return {
		kept,
		getItem: (key: string) => kept.get(key) ?? null,
		setItem: (key: string, value: string) => kept.set(key, value),
		removeItem: (key: string) => kept.delete(key),
	};
}

let tab: ReturnType<typeof storage>;

beforeEach(() => {
	tab = storage();
	vi.stubGlobal("sessionStorage", tab);
	vi.stubGlobal("localStorage", storage());
});
afterEach(() => vi.unstubAllGlobals());

test("a page that is loaded again is the same, with its lease and its calls", () => {
	const before = identity();
	keepHeld("rover", 5_000);
	keepCalls("rover", [{ id: "1", method: "park" }]);
	leaveKey(before.key);
	expect(identity()).toEqual(before);
	expect(wasHeld("rover")).toBe(true);
	expect(openCalls("rover")).toHaveLength(1);
});

test("a duplicate of a tab is somebody else, who holds nothing; what became of calls anybody may ask", () => {
	const first = identity();
	keepHeld("rover", 5_000);
	keepCalls("rover", [{ id: "1", method: "park" }]);
	vi.stubGlobal("sessionStorage", storage(tab.kept));
	expect(identity().key).not.toBe(first.key);
	expect(wasHeld("rover")).toBe(false);
	expect(openCalls("rover")).toHaveLength(1);
});

test("a duplicate of a page that was reloaded, or came back as it was, is somebody else too", () => {
	const first = identity();
	leaveKey(first.key);
	takeKey();
	vi.stubGlobal("sessionStorage", storage(tab.kept));
	expect(identity().key).not.toBe(first.key);
});

test("a browser that forbids storage has an identity all the same", () => {
	vi.unstubAllGlobals();
	for (const name of ["sessionStorage", "localStorage"]) {
		const before = Object.getOwnPropertyDescriptor(globalThis, name);
		onTestFinished(() => {
			if (before === undefined) Reflect.deleteProperty(globalThis, name);
			else Object.defineProperty(globalThis, name, before);
		});
		Object.defineProperty(globalThis, name, {
			configurable: true,
			get: () => {
				throw new Error("SecurityError");
			},
		});
	}
	const who = identity();
	expect(who.key.length).toBeGreaterThanOrEqual(20);
	expect(rename(who, "Ada").name).toBe("Ada");
	keepHeld("rover", 5_000);
	leaveKey(who.key);
	expect([wasHeld("rover"), openCalls("rover")]).toEqual([false, []]);
});

test("a name belongs to the browser, and changes no key, though nothing can be kept", () => {
	vi.stubGlobal("sessionStorage", {
		getItem: () => {
			throw new Error("refused");
		},
	});
	const who = identity();
	const renamed = rename(who, " Ada\u0007 ");
	expect(renamed).toEqual({ key: who.key, name: "Ada" });
	expect(identity().name).toBe("Ada");
	expect(rename(renamed, "").name).toBe(who.name);
});
