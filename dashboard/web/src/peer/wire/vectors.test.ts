import { describe, expect, test } from "vitest";
import {
	appendAck,
	appendDrive,
	appendEcho,
	appendFrame,
	appendGap,
	appendHeader,
	appendParity,
	appendProbe,
	appendReceipt,
	appendSerial,
	appendTick,
	CLASSES,
	CODES,
	checkName,
	closeCode,
	codeByClose,
	codeByName,
	eachFrame,
	FormatError,
	type Frame,
	GAP_REASONS,
	nextFrame,
	parseAck,
	parseData,
	parseDrive,
	parseEcho,
	parseGap,
	parseParity,
	parseProbe,
	parseReceipt,
	parseSerial,
	parseTick,
	Reader,
	TYPE_ACK,
	TYPE_COMMAND,
	TYPE_DATA,
	TYPE_DRIVE,
	TYPE_ECHO,
	TYPE_GAP,
	TYPE_OUTCOME,
	TYPE_PARITY,
	TYPE_PROBE,
	TYPE_RECEIPT,
	TYPE_SERIAL,
	TYPE_SIGNAL,
	TYPE_TICK,
	Writer,
} from ".";
import { hex, repoFile, unhex } from "./testing";

// peer/wire/testdata/vectors.json, as Go's vectors_test.go describes it.

interface Vector {
	name: string;
	kind: keyof typeof KINDS;
	hex: string;
	value?: unknown;
	error?: string;
	canonical?: boolean;
}

interface Golden {
	types: Record<string, number>;
	classes: string[];
	gapReasons: Record<string, number>;
	codes: { number: number; name: string; retry: string; http: number; close: number }[];
	names: { name: string; limit: number; ok: boolean }[];
	vectors: Vector[];
}

/** Decoded is what bytes hold, as the file shows it, the error that ended the reading, and how the value is written. */
interface Decoded {
	value: unknown;
	error: string | undefined;
	again: (w: Writer) => Writer;
}

/** read decodes all of a kind that is read in one piece. */
function read<T>(parse: (bytes: Uint8Array) => T, show: (value: T) => unknown, write: (w: Writer, value: T) => Writer) {
	return (bytes: Uint8Array): Decoded => {
		try {
			const value = parse(bytes);
			return { value: show(value), error: undefined, again: (w) => write(w, value) };
		} catch (error) {
			return { value: undefined, error: faultIn(error), again: (w) => w };
		}
	};
}

function faultIn(error: unknown): string {
	if (!(error instanceof FormatError)) throw error;
	return error.fault;
}

const same = (value: unknown) => value;
const showFrame = (f: Frame) => ({ ...f, body: hex(f.body) });

/** Kinds name the parsers; a packet's frames stand beside one that cannot be read. */
const KINDS = {
	uvarint: read(
		(b) => new Reader(b).uvarint(),
		same,
		(w, v) => w.uvarint(v),
	),
	svarint: read(
		(b) => new Reader(b).svarint(),
		same,
		(w, v) => w.svarint(v),
	),
	data: read(
		parseData,
		({ header, payload }) => ({ ...header, payload: hex(payload) }),
		(w, { header, payload }) => appendHeader(w, header).append(payload),
	),
	ack: read(
		parseAck,
		({ level, positions }) => ({
			level,
			positions: positions.map((p) => ({ ...p, received: p.received.map(({ from, to }) => [from, to]) })),
		}),
		(w, { level, positions }) => appendAck(w, level, positions),
	),
	gap: read(parseGap, same, appendGap),
	serial: read(parseSerial, same, appendSerial),
	receipt: read(
		parseReceipt,
		({ newest, held, runs }) => ({ newest, held, runs: runs.map(({ came, missed }) => [came, missed]) }),
		appendReceipt,
	),
	parity: read(parseParity, (p) => ({ ...p, bytes: hex(p.bytes) }), appendParity),
	tick: read(parseTick, same, appendTick),
	drive: read(parseDrive, same, appendDrive),
	probe: read(
		(b) => framed(b, parseProbe),
		({ hop, value }) => ({ hop, ...value }),
		(w, { hop, value }) => appendProbe(w, hop, value),
	),
	echo: read(
		(b) => framed(b, parseEcho),
		({ hop, value }) => ({ hop, ...value }),
		(w, { hop, value }) => appendEcho(w, hop, value),
	),
	packet(bytes: Uint8Array): Decoded {
		const frames: Frame[] = [];
		let error: string | undefined;
		const again = (w: Writer) => {
			for (const f of frames) appendFrame(w, f.type, f.hop, f.body);
			return w;
		};
		eachFrame(
			bytes,
			(frame) => frames.push(frame),
			({ fault }) => {
				error ??= fault;
			},
		);
		return { value: frames.map(showFrame), error, again };
	},
};

function framed<T>(bytes: Uint8Array, parse: (body: Uint8Array) => T) {
	const { hop, body } = nextFrame(new Reader(bytes));
	return { hop, value: parse(body) };
}

const golden: Golden = JSON.parse(repoFile("peer/wire/testdata/vectors.json"));

describe("tables", () => {
	test("types, classes and reasons have the numbers of Go's", () => {
		const types = {
			data: TYPE_DATA,
			ack: TYPE_ACK,
			gap: TYPE_GAP,
			probe: TYPE_PROBE,
			echo: TYPE_ECHO,
			signal: TYPE_SIGNAL,
			serial: TYPE_SERIAL,
			receipt: TYPE_RECEIPT,
			parity: TYPE_PARITY,
			tick: TYPE_TICK,
			drive: TYPE_DRIVE,
			command: TYPE_COMMAND,
			outcome: TYPE_OUTCOME,
		};
		expect(types).toEqual(golden.types);
		expect(CLASSES).toEqual(golden.classes);
		expect(GAP_REASONS).toEqual(golden.gapReasons);
	});

	test("codes are those of Go", () => {
		expect(CODES.map((c) => ({ ...c, close: closeCode(c) }))).toEqual(golden.codes);
		for (const c of golden.codes) {
			expect(codeByClose(c.close)?.name).toBe(c.name);
			expect(codeByName(c.name).number).toBe(c.number);
		}
		expect([codeByClose(1006), codeByClose(3999), codeByClose(4999)]).toEqual([null, null, null]);
		expect(codeByName("of a later version").name).toBe("internal");
	});

	test.each(golden.names)("name $name", ({ name, limit, ok }) => {
		expect(checkName(name, limit) === null).toBe(ok);
	});
});

describe("golden bytes", () => {
	test.each(golden.vectors)("$kind $name", ({ kind, hex: text, value, error, canonical }) => {
		const decoded = KINDS[kind](unhex(text));
		expect(decoded.error).toBe(error);
		if (error === undefined || kind === "packet") expect(decoded.value).toEqual(value);
		if (error === undefined) expect(hex(decoded.again(new Writer()).finish()) === text).toBe(canonical ?? false);
	});
});
