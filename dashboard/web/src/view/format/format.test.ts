import { describe, expect, it } from "vitest";
import type { Device } from "../../port";
import { bytes, number, plusMinus, quantity, tick } from "./number";
import { clock, duration, milliseconds, preciseClock } from "./time";
import { clockNote, coded, facts, presence, presenceHere, sentence } from "./words";

describe("numbers", () => {
	it("have about four digits, as many as their surroundings", () => {
		const texts = [0, 0.1234, 1.2345, 23.456, 812.34, 4_321.9].map((value) => quantity(value, "").text);
		expect(texts).toEqual(["0.00", "0.123", "1.23", "23.5", "812.3", "4322"]);
		expect(quantity(0.291, "V", 6).text).toBe("0.29");
		expect(quantity(-0.001, "V", 6).text).toBe("0.00");
	});

	it("scale bytes by 1024 and the rest by 1000", () => {
		expect(quantity(851_443_712, "B")).toEqual({ text: "812.0", unit: "MiB" });
		expect(quantity(140_000, "B/s")).toEqual({ text: "136.7", unit: "KiB/s" });
		expect(quantity(12, "B")).toEqual({ text: "12", unit: "B" });
		expect(quantity(2_500_000, "Hz")).toEqual({ text: "2.50", unit: "MHz" });
		expect(quantity(99_000, "rpm")).toEqual({ text: "99\u202f000", unit: "rpm" });
		expect(quantity(174_000, "kB/s")).toEqual({ text: "174.0", unit: "MB/s" });
		expect(quantity(0.5, "GiB")).toEqual({ text: "512.0", unit: "MiB" });
		expect(quantity(101, "", 101, true).text).toBe("101");
		expect(quantity(1_013, "Bq")).toEqual({ text: "1013", unit: "Bq" });
	});

	it("have no prefix before another one, and none before a unit that takes none", () => {
		expect(quantity(123_456.789, "kWh")).toEqual({ text: "123\u202f457", unit: "kWh" });
		expect(quantity(1_250_000, "kg·m²")).toEqual({ text: "1\u202f250\u202f000", unit: "kg·m²" });
		expect(quantity(12_500_000, "kg·m²")).toEqual({ text: "1.25×10⁷", unit: "kg·m²" });
		expect(quantity(2.5e11, "rpm")).toEqual({ text: "2.50×10¹¹", unit: "rpm" });
		expect(quantity(2.5e11, "W/m²")).toEqual({ text: "250.0", unit: "GW/m²" });
	});

	it("that are very small keep their digits, in their places", () => {
		expect([9.87e-8, 0.4e-8, 0, -1e-7].map((value) => quantity(value, "m", 1e-7).text)).toEqual([
			"0.99×10⁻⁷",
			"0.04×10⁻⁷",
			"0",
			"−1.00×10⁻⁷",
		]);
		expect(quantity(0.000_123, "m").text).toBe("0.000123");
		expect([-1e-7, -5e-8, 0, 5e-8, 1e-7].map((value) => tick(value, 5e-8, "m"))).toEqual([
			"−1.0×10⁻⁷",
			"−5×10⁻⁸",
			"0",
			"5×10⁻⁸",
			"1.0×10⁻⁷",
		]);
	});

	it("leave their place when they are missing", () => {
		expect(quantity(Number.NaN, "°C")).toEqual({ text: "–", unit: "°C" });
		expect(number(Number.POSITIVE_INFINITY, 1)).toBe("–");
		expect([plusMinus(null), plusMinus(0.4)]).toEqual(["", " ± 0.4"]);
	});

	it("at an axis show as many decimals as the step needs", () => {
		expect([0, 0.25, 0.5].map((value) => tick(value, 0.25, ""))).toEqual(["0.00", "0.25", "0.50"]);
		expect([-10, 0, 10].map((value) => tick(value, 10, ""))).toEqual(["−10", "0", "10"]);
		expect([20_000, 40_000].map((value) => tick(value, 20_000, ""))).toEqual(["20k", "40k"]);
		expect([0, 50_000].map((value) => tick(value, 50_000, "kB/s"))).toEqual(["0", "50M"]);
		expect([123_457.242, 123_457.244].map((value) => tick(value, 0.002, "kWh"))).toEqual([
			"123\u202f457.242",
			"123\u202f457.244",
		]);
		expect(tick(256 * 1024, 128 * 1024, "B/s")).toBe("256Ki");
	});

	it("bytes", () => expect([bytes(0), bytes(1_434)]).toEqual(["0 B", "1.40 KiB"]));
});

describe("times", () => {
	const noon = new Date(2026, 10, 21, 12, 3, 4, 118).getTime();

	it("of day name another day", () => {
		expect(clock(noon, noon)).toBe("12:03:04");
		expect(preciseClock(noon, noon)).toBe("12:03:04.118");
		expect(clock(new Date(2026, 0, 2, 1, 2, 3).getTime(), noon)).toBe("2 Jan, 01:02:03");
		expect(clock(new Date(1971, 0, 2, 1, 2, 3).getTime(), noon)).toBe("2 Jan 1971, 01:02:03");
		expect([clock(Number.NaN, noon), clock(1e300, noon)]).toEqual(["–", "–"]);
	});

	it("that pass are told in two units", () => {
		expect([900, 4_000, 72_000, 7_500_000, 273_600_000].map(duration)).toEqual([
			"0 s",
			"4 s",
			"1 min 12 s",
			"2 h 5 min",
			"3 d 4 h",
		]);
		expect(duration(-5)).toBe("0 s");
	});

	it("that are short are told in milliseconds", () => {
		expect([0.42, 3.1, 38.2, 1_234, 75_000, null].map(milliseconds)).toEqual([
			"0.4 ms",
			"3.1 ms",
			"38 ms",
			"1.2 s",
			"1 min 15 s",
			"–",
		]);
	});
});

describe("words", () => {
	const device: Device = { id: "ab", name: "pi", state: "live", since: 0, heardMs: null, session: 1, facts: {} };

	it("say a presence honestly", () => {
		const since = new Date(2026, 10, 21, 12, 3, 4).getTime();
		expect(presence(device, since, since)).toBe("Live");
		expect(presence({ ...device, state: "offline", since: since / 1_000 }, since + 9_000, since)).toBe(
			"Offline since 12:03:04",
		);
		expect(presence({ ...device, state: "reachable", heardMs: 48_000 }, since + 2_000, since)).toBe(
			"Reachable · heard 50 s ago",
		);
		expect(presence(device, since + 9_000, since, since)).toBe("Was live at 12:03:04");
		expect(presence({ ...device, state: "offline", since: since / 1_000 }, since + 9_000, since, since)).toBe(
			"Offline since 12:03:04",
		);
	});

	it("say that a device is there whose path goes on, though the server has lost it", () => {
		const since = new Date(2026, 10, 21, 12, 3, 4).getTime();
		expect(presenceHere(device, since, since)).toBe("Live");
		expect(presenceHere({ ...device, state: "offline", since: since / 1_000 }, since + 9_000, since)).toBe(
			"Live · without its link to the server since 12:03:04",
		);
	});

	it("tell a clock that is wrong, and no other", () => {
		expect(clockNote(null, null)).toBe("");
		expect(clockNote(4_900, 1)).toBe("");
		expect(clockNote(30_000, 28_000)).toBe(""); // it may be right
		expect(clockNote(252_000, 3)).toBe("its clock is 4 min 12 s ahead of this one");
		expect(clockNote(-1_795_000_000_000, 3)).toBe("its clock is 56 y 321 d behind this one");
	});

	it("make sentences of phrases", () => {
		expect(["", "http://host", "the token is not valid", "All done."].map(sentence)).toEqual([
			"",
			"http://host",
			"The token is not valid.",
			"All done.",
		]);
	});

	it("take commands out of texts", () => {
		const plain = (words: string) => ({ code: false, words });
		expect(coded("get one with `make it`, or wait")).toEqual([
			plain("get one with "),
			{ code: true, words: "make it" },
			plain(", or wait"),
		]);
		expect([coded(""), coded("a lone ` is itself")]).toEqual([[], [plain("a lone ` is itself")]]);
	});

	it("put what is known of a device in a line", () => {
		const known = {
			arch: "arm64",
			model: "Raspberry Pi 4",
			agent: "0.1.0",
			rack: "7",
			os: "",
			boot: "2026-11-21T04:57:17Z",
		};
		expect(facts({ ...device, facts: known }, 18, Date.parse("2026-11-21T06:57:20Z"))).toBe(
			"Raspberry Pi 4 · arm64 · agent 0.1.0 · 18\u00a0streams · rack 7 · up 2 h",
		);
	});
});
