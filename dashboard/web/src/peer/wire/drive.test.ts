import { expect, test } from "vitest";
import {
	appendDriveFrame,
	appendTickFrame,
	type Drive,
	FormatError,
	hop,
	MAX_AXES,
	MAX_INT,
	nextFrame,
	parseDrive,
	parseTick,
	Reader,
	TYPE_DRIVE,
	TYPE_TICK,
	Writer,
} from ".";
import { faultOf, hex, Random } from "./testing";

const body = (w: Writer) => nextFrame(new Reader(w.finish()));

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
	const {
		type,
		hop: of,
		body: bytes,
	} = body(appendTickFrame(new Writer(), hop({ conn: 7 }), { epoch: 0x0a0b0c0d, at: 300 }));
	expect([type, of.conn, hex(bytes)]).toEqual([TYPE_TICK, 7, "0a0b0c0dac02"]);
	expect(parseTick(bytes)).toEqual({ epoch: 0x0a0b0c0d, at: 300 });
});

test("a Drive is lease, order, hand, tick and setpoints", () => {
	const drive = { fence: 1, seq: 2, hand: 3, tick: { epoch: 4, at: 5 }, setpoints: [{ axis: 6, value: -1.5 }] };
	const { type, body: bytes } = body(appendDriveFrame(new Writer(), hop(), drive));
	expect([type, hex(bytes)]).toEqual([TYPE_DRIVE, "010203000000040501" + "06" + "bff8000000000000"]);
	expect(parseDrive(bytes)).toEqual(drive);
});

test("whatever is drawn comes back", () => {
	for (let seed = 0; seed < 500; seed++) {
		const drive = draw(new Random(seed));
		expect(parseDrive(body(appendDriveFrame(new Writer(), hop(), drive)).body)).toEqual(drive);
	}
});

test("damaged bytes are read or refused, and nothing else", () => {
	for (let seed = 0; seed < 2_000; seed++) {
		const random = new Random(seed);
		const { body: bytes } = body(appendDriveFrame(new Writer(), hop(), draw(random)));
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
