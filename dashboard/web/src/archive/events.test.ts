import { afterEach, expect, test, vi } from "vitest";
import { EventArchive } from "./events";

afterEach(() => vi.unstubAllGlobals());

const entry = { what: "start", id: 1, name: "log", epoch: 10, seq: 0 } as const;

/** made makes an archive, and a list of what it says of its state. */
function made(): { archive: EventArchive; states: string[] } {
	const states: string[] = [];
	const later = (ms: number, call: () => void) => setTimeout(call, ms);
	return { archive: new EventArchive({ later, onState: (problem) => states.push(problem) }), states };
}

test("a browser without a database keeps nothing, says so, and holds nothing up", async () => {
	const { archive, states } = made();
	expect(await archive.load("pi")).toBeNull();
	archive.add({ id: "aa", name: "pi" }, entry);
	archive.clear();
	expect(states).toEqual(["this browser keeps nothing for pages"]);
});

test("a browser that refuses the database is not asked again", async () => {
	const open = vi.fn(() => {
		throw new DOMException("no", "SecurityError");
	});
	vi.stubGlobal("indexedDB", { open });
	const { archive, states } = made();
	expect(await archive.load("pi")).toBeNull();
	expect(await archive.load("pi")).toBeNull();
	expect(states).toEqual(["the browser keeps nothing for this page (a private window?)"]);
	expect(open).toHaveBeenCalledTimes(1);
});

test("a database that never opens holds a device up for a second", async () => {
	vi.useFakeTimers();
	vi.stubGlobal("indexedDB", { open: () => ({}) });
	const { archive, states } = made();
	const loaded = archive.load("pi");
	await vi.advanceTimersByTimeAsync(1_000);
	expect(await loaded).toBeNull();
	expect(states).toEqual(["the browser's storage does not answer"]);
	expect(await archive.load("pi")).toBeNull();
	vi.useRealTimers();
});

/** takesNothing is a database whose transactions never end; it tells how many began. */
function takesNothing() {
	const began = { transactions: 0 };
	const database = {
		transaction: () => {
			began.transactions++;
			return { objectStore: () => ({ get: () => ({}) }) };
		},
		close: () => undefined,
	};
	const open = () => {
		const request = { result: database, onsuccess: () => undefined };
		queueMicrotask(() => request.onsuccess());
		return request;
	};
	vi.stubGlobal("indexedDB", { open });
	return began;
}

test("what comes fast is written at once, and not faster than the disk takes it", async () => {
	vi.useFakeTimers();
	const began = takesNothing();
	const { archive, states } = made();
	await vi.advanceTimersByTimeAsync(0);
	const add = (n: number) => {
		for (let i = 0; i < n; i++) archive.add({ id: "aa", name: "pi" }, entry);
	};
	add(999);
	expect(began.transactions).toBe(0);
	add(1);
	expect(began.transactions).toBe(1);
	add(4_999);
	expect(archive.hasRoom).toBe(true);
	add(1);
	expect([archive.hasRoom, states]).toEqual([false, [""]]);
	await vi.advanceTimersByTimeAsync(1_000);
	expect(began.transactions).toBe(1); // one at a time
	add(5_001); // who does not ask is bounded all the same
	expect(states).toEqual(["", "the browser's storage does not answer"]);
	vi.useRealTimers();
});
