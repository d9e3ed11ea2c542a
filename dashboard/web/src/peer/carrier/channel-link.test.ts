import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { probeFrame, signalFrame } from "../link/encode";
import { FakeChannel, TestEnv } from "../testing";
import { said } from "../testing-signal";
import { type Allowed, ChannelLink } from "./channel-link";
import type { Ending } from "./link-carrier";
import type { Pair } from "./pair";

// The request goes to a fetch of the test's; the page and its channels are the test's, too. Over a real one: e2e.

const ANSWER =
	"v=0\r\na=ice-lite\r\na=candidate:1 1 udp 9 192.0.2.1 8080 typ host\r\na=candidate:2 1 tcp 8 192.0.2.1 8080 typ host tcptype passive\r\n";
const udp: Pair = { local: "host 10.0.0.1:9 udp", remote: "host 192.0.2.1:8080 udp", rung: "udp" };

let env: TestEnv;
let log: string[];
let asked: { url: string; init: RequestInit } | null;
let respond: (response: Response) => void;

beforeEach(() => {
	env = new TestEnv();
	log = [];
	asked = null;
	vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
		asked = { url, init };
		return new Promise<Response>((resolve) => {
			respond = resolve;
		});
	});
});
afterEach(() => vi.unstubAllGlobals());

function begin(allowed: Allowed = { udp: true, tcp: true }): ChannelLink {
	return new ChannelLink(
		{ url: "http://h/v1/link", token: "secret", open: null },
		allowed,
		{ answer: (sdp) => log.push(`answer ${sdp}`), close: () => log.push("close") },
		{
			onOpen: () => log.push("open"),
			onPacket: (packet) => log.push(`packet ${packet.length}`),
			onOver: (ending: Ending) => log.push("failure" in ending ? ending.failure.name : ending.refusal.code),
		},
		env,
	);
}

const answered = (response: Response) => {
	respond(response);
	return vi.waitFor(() => expect(log.length).toBeGreaterThan(0));
};

function channels(link: ChannelLink): FakeChannel[] {
	const made = [0, 1, 2].map((id) => new FakeChannel(id));
	link.channels(made as unknown as RTCDataChannel[]);
	return made;
}

const hears = (channel: FakeChannel | undefined, bytes: Uint8Array) =>
	channel?.onmessage?.({ data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) });

test("the offer goes to the server, its answer to the page", async () => {
	const link = begin();
	link.offered("offer");
	expect(asked?.url).toBe("http://h/v1/link/rtc");
	expect(asked?.init).toMatchObject({
		method: "POST",
		body: "offer",
		headers: { Authorization: "Bearer secret", "Content-Type": "application/sdp" },
	});
	await answered(new Response(ANSWER, { status: 201 }));
	expect(log).toEqual([`answer ${ANSWER}`]);
});

test("candidates of a rung that is not allowed are left out", async () => {
	const link = begin({ udp: true, tcp: false });
	link.offered("offer");
	await answered(new Response(ANSWER, { status: 201 }));
	expect(log[0]).toMatch(/1 udp/);
	expect(log[0]).not.toMatch(/ tcp /);
});

test("what comes waits until it is known which way it came, but not for long", () => {
	for (const known of [true, false]) {
		log = [];
		const link = begin();
		const made = channels(link);
		for (const channel of made) channel.opens();
		hears(made[0], said(0, { type: "welcome", server: "s", role: "viewer", time: 1 }));
		expect(log).toEqual(["open"]);
		if (known) link.state("connected", { ...udp, rung: "tcp" });
		else env.advance(500);
		expect(log).toHaveLength(2);
		expect(link.rung).toBe(known ? "relay-tcp" : "relay-udp");
	}
});

test("signals are sent reliably, the rest is not repeated for long", () => {
	const link = begin();
	expect(link.send(signalFrame(1, { type: "close" }))).toBe(false);
	const made = channels(link);
	for (const channel of made) channel.opens();
	link.send(signalFrame(1, { type: "close" }));
	link.send(probeFrame(0, { id: 1, heard: true, full: false, t1: 1 }));
	expect(made.map((channel) => channel.sent.length)).toEqual([1, 0, 1]);
});

test("a refusal is told as that, and what blocks by its name", async () => {
	begin().offered("offer");
	const body = JSON.stringify({ code: "too-many", reason: "", remedy: "" });
	await answered(new Response(body, { status: 503 }));
	expect(log).toEqual(["close", "too-many"]);
	log = [];
	begin();
	env.advance(10_000);
	begin({ udp: true, tcp: false });
	env.advance(10_000);
	expect(log).toEqual(["close", "relay-blocked", "close", "udp-blocked"]);
});

test("after the end nothing is called back, and the page lets go", () => {
	const link = begin();
	const made = channels(link);
	for (const channel of made) channel.opens();
	link.state("connected", udp);
	link.close();
	link.state("failed", null);
	env.advance(20_000);
	expect(log).toEqual(["open", "close"]);
	expect(link.send(signalFrame(1, { type: "close" }))).toBe(false);
	expect(made.every((channel) => channel.readyState === "closed")).toBe(true);
});
