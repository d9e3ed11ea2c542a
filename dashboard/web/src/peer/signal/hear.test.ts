import { describe, expect, test } from "vitest";
import { MAX_SIGNAL } from "../wire";
import { faultOf, Random, repoFile } from "../wire/testing";
import { parse } from ".";

const bytes = (text: string) => new TextEncoder().encode(text);
const hear = (message: unknown) => parse(bytes(JSON.stringify(message)));

const BOARD = { id: "00ff", name: "board", state: "live", since: 1795000000.25, session: 3, facts: { os: "linux" } };

describe("what a viewer hears", () => {
	test.each([
		[{ type: "welcome", server: "s", role: "viewer", time: 7, intercepted: false, udp: null }],
		[{ type: "welcome", server: "s", role: "viewer", time: 7, intercepted: true, udp: 3478 }],
		[{ type: "refuse", code: "forbidden", reason: "no", remedy: "ask" }],
		[{ type: "answer", attempt: 2, sdp: "v=0\r\n" }],
		[{ type: "candidate", attempt: 2, candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ host", mid: "0" }],
		[{ type: "candidate", attempt: 2, candidate: "", mid: "0" }],
		[{ type: "retry", turned: true }],
		[{ type: "end", code: "draining", reason: "restarting" }],
	])("%j", (message) => {
		expect(hear(message)).toEqual(message);
	});

	test("devices", () => {
		const board = { ...BOARD, heardMs: null };
		expect(hear({ type: "devices", full: true, devices: [BOARD] })).toEqual({
			type: "devices",
			full: true,
			devices: [board],
		});
		expect(hear({ type: "opened", device: { ...BOARD, heard_ms: 0 } })).toEqual({
			type: "opened",
			device: { ...board, heardMs: 0 },
			servers: [],
		});
		expect(hear({ type: "state", device: { state: "offline", later: 1 } })).toEqual({
			type: "state",
			device: { id: "", name: "", state: "offline", since: 0, heardMs: null, session: 0, facts: {} },
		});
	});

	test("TURN servers, but neither other URLs nor more than can be used", () => {
		const urls = ["turn:h:1", "turns:h:2?transport=tcp", "stun:h:1", "http://h", 7, `turn:${"h".repeat(600)}`];
		const server = { urls, username: "9:u", credential: "c", expires: 9 };
		const read = hear({ type: "opened", device: BOARD, servers: Array(9).fill(server) });
		expect(read).toMatchObject({
			servers: Array(4).fill({ urls: ["turn:h:1", "turns:h:2?transport=tcp"], username: "9:u", credential: "c" }),
		});
	});

	test("a refusal with candidates", () => {
		expect(hear({ type: "refused", code: "ambiguous", candidates: [BOARD] })).toEqual({
			type: "refused",
			code: "ambiguous",
			reason: "",
			remedy: "",
			candidates: [{ ...BOARD, heardMs: null }],
		});
	});

	test("the streams, but not those of a later version's class", () => {
		const streams = [
			{ id: 1, name: "cpu", class: "live", deadline_ms: 250, meta: { unit: "%" } },
			{ id: 2, name: "log", class: "event", start: "0000000a:12" },
			{ id: 3, name: "video", class: "media" },
			{ id: 4, name: "\u202e\n", class: "live" },
		];
		expect(hear({ type: "describe", epoch: "0000000a", revision: 7, streams })).toEqual({
			type: "describe",
			epoch: 10,
			revision: 7,
			streams: [
				{ id: 1, name: "cpu", class: "live", deadlineMs: 250, meta: { unit: "%" }, start: null },
				{ id: 2, name: "log", class: "event", deadlineMs: 0, meta: undefined, start: { epoch: 10, seq: 12 } },
				{ id: 4, name: "stream 4", class: "live", deadlineMs: 0, meta: undefined, start: null },
			],
		});
	});

	test("the device's acceptance and its farewell", () => {
		expect(hear({ type: "accept", id: "u", epoch: "ffffffff", now: 9 })).toEqual({
			type: "accept",
			id: "u",
			epoch: 0xffffffff,
			now: 9,
			relayed: false,
			turned: false,
			history: false,
		});
		expect(hear({ type: "accept", id: "u", epoch: "ffffffff", relayed: true })).toMatchObject({ relayed: true });
		expect(hear({ type: "bye", final: { 7: "0000000a:100" } })).toEqual({
			type: "bye",
			final: new Map([[7, { epoch: 10, seq: 100 }]]),
		});
	});

	test("a type of a later version is skipped", () => {
		expect(hear({ type: "later", device: 1 })).toBeNull();
	});

	test("texts for people lose what must not be shown", () => {
		const evil = "a\u202eb\u0007c";
		const device = { ...BOARD, name: evil, facts: { [evil]: evil } };
		expect(hear({ type: "opened", device })).toMatchObject({ device: { name: "abc", facts: { abc: "abc" } } });
		expect(hear({ type: "refuse", reason: evil + "x".repeat(1000) })).toMatchObject({
			reason: `abc${"x".repeat(509)}`,
		});
	});
});

describe("the type is read exactly: what is ambiguous the server does not pass on, by the same vectors", () => {
	const vectors: { name: string; body: string; type: string }[] = JSON.parse(
		repoFile("peer/signal/testdata/vectors.json"),
	);
	test.each(vectors)("$name", ({ body, type }) => {
		const read = () => parse(bytes(body))?.type ?? type; // null: of no signal that a viewer hears
		expect(faultOf(read) ?? read()).toBe(type === "" ? "signal" : type);
	});
});

describe("what cannot be read is refused", () => {
	test.each([
		["no JSON", "{"],
		["no object", "[]"],
		["null", "null"],
		["no type", "{}"],
		["a type that is no text", '{"type":1}'],
		["a member of another type", '{"type":"welcome","server":1}'],
		["a state that is none", '{"type":"opened","device":{"state":"asleep"}}'],
		["servers that are no list", JSON.stringify({ type: "opened", device: BOARD, servers: {} })],
		["no device", '{"type":"opened"}'],
		["a device that is a name", '{"type":"opened","device":"board"}'],
		["an epoch that is none", '{"type":"accept","epoch":"xyz"}'],
		["the epoch 0", '{"type":"accept","epoch":"00000000"}'],
		["a stream number that is none", '{"type":"describe","epoch":"1","streams":[{"id":0}]}'],
		["the stream number of History", '{"type":"describe","epoch":"1","streams":[{"id":65535}]}'],
		["a start that is none", '{"type":"describe","epoch":"1","streams":[{"id":1,"class":"event","start":"head"}]}'],
		["a final position that is none", '{"type":"bye","final":{"1":"x"}}'],
		["a final position of no stream", '{"type":"bye","final":{"x":"1:1"}}'],
		["a long SDP", JSON.stringify({ type: "answer", sdp: "x".repeat(16385) })],
		["a long candidate", JSON.stringify({ type: "candidate", candidate: "x".repeat(1025) })],
		["too deep", `{"type":"retry","x":${"[".repeat(16)}${"]".repeat(16)}}`],
		["too large", JSON.stringify({ type: "retry", x: "x".repeat(MAX_SIGNAL) })],
	])("%s", (_, text) => {
		expect(faultOf(() => parse(bytes(text)))).toBe("signal");
	});

	test("but not what is as deep and as large as allowed, or has brackets in strings", () => {
		expect(parse(bytes(`{"type":"retry","x":${"[".repeat(15)}${"]".repeat(15)}}`))).toEqual({
			type: "retry",
			turned: false,
		});
		const rest = MAX_SIGNAL - '{"type":"retry","x":""}'.length;
		expect(parse(bytes(`{"type":"retry","x":"${"[".repeat(rest)}"}`))).toEqual({ type: "retry", turned: false });
		expect(parse(bytes(`{"type":"retry","x":"\\"${"{".repeat(30)}"}`))).toEqual({ type: "retry", turned: false });
	});

	test("damaged signals are read or refused; nothing else happens", () => {
		const random = new Random(6);
		const whole = bytes(
			JSON.stringify({
				type: "refused",
				code: "x",
				candidates: [BOARD],
				streams: [{ id: 1, class: "live" }],
				epoch: "1",
			}),
		);
		for (let round = 0; round < 3000; round++) faultOf(() => parse(random.damage(whole)));
	});
});
