import { expect, test } from "vitest";
import { appendDrive, appendTick, type Drive, FormatError, MAX_AXES, MAX_INT, parseDrive, parseTick, Writer } from ".";
import { faultOf, hex, Random } from "./testing";

function draw(random: Random): Drive {
	return {
		fence: random.magnitude(53),
		seq: random.magnitude(53),
		hand: random.magnitude(53),
		tick: { epoch: random.magnitude(32), at: random.magnitude(53) },
		setpoints: Array.from({ length: random.int(0, MAX_AXES) }, () => ({
			axis: random.int(1, MAX_AXES),
			value: (random.next() - 0.5) * 10 ** random.int(-9, 9),
		})),
	};
}

test("a Tick is its epoch and the microseconds since", () => {
	const bytes = appendTick(new Writer(), { epoch: 0x0a0b0c0d, at: 300 }).finish();
	expect(hex(bytes)).toBe("0a0b0c0dac02");
	expect(parseTick(bytes)).toEqual({ epoch: 0x0a0b0c0d, at: 300 });
});

test("a Drive is lease, order, hand, tick and setpoints", () => {
	const drive = { fence: 1, seq: 2, hand: 3, tick: { epoch: 4, at: 5 }, setpoints: [{ axis: 6, value: -1.5 }] };
	const bytes = appendDrive(new Writer(), drive).finish();
	expect(hex(bytes)).toBe("01020300000004050106bff8000000000000");
	expect(parseDrive(bytes)).toEqual(drive);
});

test("whatever is drawn comes back", () => {
	for (let seed = 0; seed < 500; seed++) {
		const drive = draw(new Random(seed));
		expect(parseDrive(appendDrive(new Writer(), drive).finish())).toEqual(drive);
	}
});

test("damaged bytes are read or refused, and nothing else", () => {
	for (let seed = 0; seed < 2_000; seed++) {
		const random = new Random(seed);
		const bytes = appendDrive(new Writer(), draw(random)).finish();
		try {
			const { setpoints } = parseDrive(random.damage(bytes));
			expect(setpoints.length <= MAX_AXES && setpoints.every(({ value }) => Number.isFinite(value))).toBe(true);
		} catch (error) {
			expect(error).toBeInstanceOf(FormatError);
		}
	}
});

test("too many axes, an axis beyond the last and values that are no numbers are refused", () => {
	const head = (n: number) => new Writer().uvarint(1).uvarint(1).uvarint(1).u32(1).uvarint(1).uvarint(n);
	expect(faultOf(() => parseDrive(head(MAX_AXES + 1).finish()))).toBe("range");
	expect(
		faultOf(() =>
			parseDrive(
				head(1)
					.uvarint(MAX_AXES + 1)
					.f64(0)
					.finish(),
			),
		),
	).toBe("range");
	for (const value of [Number.NaN, Infinity, -Infinity]) {
		expect(faultOf(() => parseDrive(head(1).uvarint(1).f64(value).finish()))).toBe("range");
	}
	expect(faultOf(() => parseDrive(head(MAX_INT).finish()))).toBe("range");
	expect(faultOf(() => parseDrive(head(1).finish()))).toBe("short");
	expect(faultOf(() => parseTick(new Writer().u8(1).finish()))).toBe("short");
});
