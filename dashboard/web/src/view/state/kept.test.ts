import { expect, test } from "vitest";
import type { Machine } from "../../port";
import { kept } from "./kept";

const method = (name: string, most: number) => ({ name, params: { properties: { n: { maximum: most } } } });
const machine = (most: number, names = ["a", "b"], moving = false) =>
	structuredClone({
		name: "rover",
		moving,
		methods: names.map((name) => method(name, name === "a" ? most : 1)),
		axes: [{ id: 1, name: "speed", min: -1, max: 1 }],
	}) as unknown as Machine;

test("a method and an axis that are as before are the same, whatever else changes", () => {
	const before = machine(5);
	const moving = kept(before, machine(5, ["a", "b"], true));
	expect(moving?.moving).toBe(true);
	expect([moving?.methods === before.methods, moving?.axes === before.axes]).toEqual([true, true]);
	const changed = kept(before, machine(6));
	expect(changed?.methods.map((one, i) => one === before.methods[i])).toEqual([false, true]);
	expect(changed?.methods[0]).toEqual(machine(6).methods[0]);
	const fewer = kept(before, machine(5, ["b"]));
	expect([fewer?.methods.length, fewer?.methods[0] === before.methods[1]]).toEqual([1, true]);
});

test("without one before there is nothing to keep", () => {
	const now = machine(5);
	expect([kept(null, now) === now, kept(now, null)]).toEqual([true, null]);
});
