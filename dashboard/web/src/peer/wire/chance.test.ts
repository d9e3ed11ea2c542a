import { expect, test } from "vitest";
import {
	answerProbe,
	appendAck,
	appendEcho,
	appendFrame,
	appendGap,
	appendHeader,
	appendProbe,
	CLASSES,
	eachFrame,
	FormatError,
	type Frame,
	FULL_PROBE,
	frameSize,
	type Header,
	type Hop,
	hop,
	MAX_COUNT,
	MAX_INT,
	MAX_STREAM_ID,
	nextFrame,
	type Position,
	type Priority,
	parseAck,
	parseData,
	parseEcho,
	parseGap,
	parseProbe,
	Reader,
	TYPE_ACK,
	TYPE_DATA,
	TYPE_ECHO,
	TYPE_GAP,
	Writer,
} from ".";
import { faultOf, Random } from "./testing";

function drawHop(random: Random): Hop {
	const retained = random.bool();
	return hop({
		conn: random.bool() ? random.magnitude(53) : 0,
		retained,
		held: retained ? random.magnitude(53) : 0,
		priority: random.pick<Priority>([0, 1, 2, 3]),
		store: random.bool(),
	});
}

function drawHeader(random: Random): Header {
	return {
		class: random.pick(CLASSES),
		stream: random.int(1, MAX_STREAM_ID),
		epoch: 1 + random.magnitude(31),
		seq: 1 + random.magnitude(52),
		count: random.int(1, MAX_COUNT),
		deadline: random.bool() ? random.magnitude(53) : 0,
		key: random.bool() ? random.magnitude(53) : 0,
		will: random.bool(),
	};
}

function drawPosition(random: Random): Position {
	const p: Position = {
		stream: random.int(1, MAX_STREAM_ID),
		epoch: random.magnitude(32),
		seq: random.magnitude(40),
		received: [],
	};
	let end = p.seq;
	for (let k = random.int(0, 32); k > 0; k--) {
		const from = end + 2 + random.magnitude(40);
		end = from + random.magnitude(40);
		p.received.push({ from, to: end });
	}
	return p;
}

const echoOf = (random: Random) => ({
	id: random.magnitude(53),
	heard: random.bool(),
	full: random.bool(),
	t1: random.magnitude(53),
	t2: random.magnitude(53),
	t3: random.magnitude(53),
});

/** body is the body of a frame of some type, and what reads it. */
function drawBody(random: Random): [number, Uint8Array] {
	const w = new Writer();
	switch (random.int(0, 3)) {
		case 0:
			return [
				TYPE_DATA,
				appendHeader(w, drawHeader(random))
					.append(random.bytes(random.int(0, 40)))
					.finish(),
			];
		case 1:
			return [
				TYPE_ACK,
				appendAck(
					w,
					0,
					Array.from({ length: random.int(0, 4) }, () => drawPosition(random)),
				).finish(),
			];
		case 2:
			return [
				TYPE_GAP,
				appendGap(w, { stream: 1, epoch: 2, from: 3, to: 3 + random.magnitude(50), reason: 1 }).finish(),
			];
		default:
			return [TYPE_ECHO, nextFrame(new Reader(appendEcho(w, hop(), echoOf(random)).finish())).body];
	}
}

test("who probes with little gets little, whatever the flags say", () => {
	const probe = { id: 1, heard: true, full: true, t1: 5 };
	const framed = (conn: number) => nextFrame(new Reader(appendProbe(new Writer(), hop({ conn }), probe).finish())).body;
	const short = new Uint8Array([1, 3, 5]);
	const nearly = new Uint8Array(FULL_PROBE - 50);
	nearly.set(short);
	for (const [body, full] of [
		[short, false],
		[nearly, false],
		[framed(0), true],
		[framed(MAX_INT), true],
	] as const) {
		const echo = answerProbe(body, 6, 7);
		expect(echo).toMatchObject({ id: 1, full, t1: 5, t2: 6, t3: 7 });
		expect(appendEcho(new Writer(), hop(), echo).finish().length === FULL_PROBE).toBe(full);
	}
	expect(() => answerProbe(new Uint8Array([1]), 6, 7)).toThrow(FormatError);
});

test("a header is read as it was written, with the payload behind it", () => {
	const random = new Random(1);
	for (let round = 0; round < 500; round++) {
		const header = drawHeader(random);
		const payload = random.bytes(random.int(0, 9));
		expect(parseData(appendHeader(new Writer(), header).append(payload).finish())).toEqual({ header, payload });
	}
});

test("positions, gaps and frames are read as they were written", () => {
	const random = new Random(2);
	for (let round = 0; round < 300; round++) {
		const positions = Array.from({ length: random.int(0, 5) }, () => drawPosition(random));
		expect(parseAck(appendAck(new Writer(), 1, positions).finish())).toEqual({ level: 1, positions });
		const from = 1 + random.magnitude(50);
		const gap = {
			stream: random.int(1, MAX_STREAM_ID),
			epoch: random.magnitude(32),
			from,
			to: from + random.magnitude(50),
			reason: random.int(1, 4),
		};
		expect(parseGap(appendGap(new Writer(), gap).finish())).toEqual(gap);
		const frame = { type: random.int(0, 255), hop: drawHop(random), body: random.bytes(random.int(0, 300)) };
		const bytes = appendFrame(new Writer(), frame.type, frame.hop, frame.body).finish();
		expect(nextFrame(new Reader(bytes))).toEqual(frame);
		expect(bytes.length).toBe(frameSize(frame.hop, frame.body.length));
	}
});

test("probes and echoes are read as they were written; full ones have their length, whatever the hop part", () => {
	const random = new Random(3);
	for (let round = 0; round < 300; round++) {
		const h = drawHop(random);
		const { t2, t3, ...probe } = echoOf(random);
		const frames = [
			appendProbe(new Writer(), h, probe).finish(),
			appendEcho(new Writer(), h, { ...probe, t2, t3 }).finish(),
		];
		const [first, second] = frames.map((bytes) => nextFrame(new Reader(bytes)));
		expect(parseProbe(first?.body ?? new Uint8Array())).toEqual(probe);
		expect(parseEcho(second?.body ?? new Uint8Array())).toEqual({ ...probe, t2, t3 });
		for (const bytes of frames) expect(bytes.length === FULL_PROBE).toBe(probe.full);
	}
});

test("integers of all sizes are read as they were written", () => {
	const random = new Random(4);
	for (let round = 0; round < 3000; round++) {
		const value = random.magnitude(53);
		expect(new Reader(new Writer().uvarint(value).finish()).uvarint()).toBe(value);
		const signed = random.bool() ? random.magnitude(52) : -random.magnitude(52) || 0;
		expect(new Reader(new Writer().svarint(signed).finish()).svarint()).toBe(signed);
	}
	for (const value of [-1, 0.5, MAX_INT + 1, Number.NaN, Infinity]) {
		expect(faultOf(() => new Writer().uvarint(value))).toBe("range");
	}
});

const PARSERS = [parseData, parseAck, parseGap, parseProbe, parseEcho];

test("a damaged packet is read as far as it goes, or refused; nothing else happens", () => {
	const random = new Random(5);
	let bad = 0;
	for (let round = 0; round < 3000; round++) {
		const w = new Writer();
		for (let n = random.int(1, 4); n > 0; n--) {
			const [type, body] = drawBody(random);
			appendFrame(w, type, drawHop(random), body);
		}
		const packet = random.damage(w.finish());
		const frames: Frame[] = [];
		eachFrame(
			packet,
			(frame) => frames.push(frame),
			(error) => {
				expect(error).toBeInstanceOf(FormatError);
				bad++;
			},
		);
		for (const { body } of frames) for (const parse of PARSERS) faultOf(() => parse(body));
		expect(frames.reduce((sum, { body }) => sum + body.length, 0)).toBeLessThanOrEqual(packet.length);
	}
	expect(bad).toBeGreaterThan(300);
});

test("a frame that cannot be read is skipped, a length that leaves the packet ends it", () => {
	const good = [2, 0x63, 0];
	const flaws: [number[], number][] = [
		[[...good, 1, 1, ...good], 2], // too short for its hop flags
		[[...good, 3, 1, 1, 0x80, ...good], 2], // its conn number has no end
		[[...good, 0, ...good], 1],
		[[...good, 9, 1, 0, ...good], 1],
	];
	for (const [bytes, readable] of flaws) {
		let frames = 0;
		let bad = 0;
		eachFrame(
			Uint8Array.from(bytes),
			() => frames++,
			() => bad++,
		);
		expect([frames, bad]).toEqual([readable, 1]);
	}
});
