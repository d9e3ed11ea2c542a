import { describe, expect, it } from "vitest";
import { commonPrefix, layout, shape } from "./layout";
import { info } from "./testing";

describe("layout", () => {
	it("puts a group on one card, apart by unit and kind", () => {
		const cards = layout([
			info({ group: "imu", unit: "g" }, "imu/x", 1),
			info({ group: "imu", unit: "g", label: "Y" }, "imu/y", 2),
			info({ group: "imu", unit: "°C" }, "imu/temp", 3),
			info({ label: "Alone", unit: "V" }, "alone", 4),
		]);
		expect(cards.map(({ title, source, series }) => [title, source, series.map(({ label }) => label)])).toEqual([
			["imu", "imu", ["x", "Y"]],
			["imu", "imu/temp", ["imu/temp"]],
			["Alone", "alone", ["Alone"]],
		]);
	});

	it("gives on/off streams a card of lanes and texts a log", () => {
		const cards = layout([
			info({ kind: "bool" }, "door", 1),
			info({ kind: "bool" }, "pump", 2),
			info({ kind: "text" }, "log", 3),
			info({ kind: "bytes" }, "frames", 4),
		]);
		expect(cards.map(({ kind, title, unit, series }) => [kind, title, unit, series.length])).toEqual([
			["steps", "On / off", "", 2],
			["log", "log", "", 1],
			["line", "frames", "B", 1],
		]);
	});

	it("never mixes what is measured with what is made up", () => {
		const cards = layout([info({ group: "g" }, "a", 1), info({ group: "g", simulated: true }, "b", 2)]);
		expect(cards.map(({ simulated }) => simulated)).toEqual([false, true]);
	});
});

it("a card has another shape when it has other streams, and the same one when they only have other numbers", () => {
	const of = (...streams: Parameters<typeof layout>[0]) => layout(streams).map(shape);
	const core = (name: string, id: number) => info({ group: "cores", unit: "%" }, name, id);
	const [one] = of(core("cpu/0", 1));
	const [two] = of(core("cpu/0", 1), core("cpu/1", 2));
	expect(one).not.toBe(two);
	expect(of(core("cpu/0", 7), core("cpu/1", 8))).toEqual([two]);
});

it("commonPrefix shares whole segments only", () => {
	expect(commonPrefix(["host/cpu/0", "host/cpu/1"])).toBe("host/cpu");
	expect(commonPrefix(["host/cpu0", "host/cpu1"])).toBe("host");
	expect(commonPrefix(["a", "b"])).toBe("");
});
