import { expect, test } from "vitest";
import { FakeChannel, TestEnv } from "../testing";
import { appendFrame, appendSerial, hop, nextFrame, parseReceipt, Reader, TYPE_SERIAL, Writer } from "../wire";
import { CHANNELS } from "./channels";
import { RtcCarrier } from "./rtc";

function setUp() {
	const channels = CHANNELS.map(({ id }) => new FakeChannel(id));
	const log: string[] = [];
	const env = new TestEnv();
	const carrier = new RtcCarrier(
		channels as unknown as RTCDataChannel[],
		{
			onOpen: () => log.push("open"),
			onPacket: (packet) => log.push(`packet ${packet.length}`),
			onClosed: () => log.push("closed"),
		},
		env,
	);
	const [reliable, live, brief] = channels;
	if (!reliable || !live || !brief) throw new Error("the table has three channels");
	return { channels, carrier, env, log, reliable, live, brief };
}

test("it is open when all channels are, and gives packets of any of them", () => {
	const { channels, log, live } = setUp();
	for (const channel of channels) {
		expect(log).toEqual([]);
		channel.opens();
	}
	expect(log).toEqual(["open"]);
	live.onmessage?.({ data: new ArrayBuffer(3) });
	live.onmessage?.({ data: "text is not ours" });
	expect(log).toEqual(["open", "packet 3"]);
});

test("each lane has its channel; what comes early waits", () => {
	const { carrier, reliable, live, brief } = setUp();
	carrier.send("brief", new Uint8Array(1));
	expect(brief.sent).toEqual([]);
	for (const channel of [reliable, live, brief]) channel.opens();
	carrier.send("reliable", new Uint8Array(2));
	carrier.send("live", new Uint8Array(3));
	brief.drains();
	expect([brief, reliable, live].map((c) => c.sent.map((b) => b.length))).toEqual([[1], [2], [3]]);
});

test("a channel that does not drain takes 16 KiB ahead and 64 KiB in the queue, then the oldest brief frames go", () => {
	const { carrier, brief, reliable, channels } = setUp();
	for (const channel of channels) channel.opens();
	const kib = new Uint8Array(1024);
	for (let i = 0; i < 100; i++) expect(carrier.send("brief", kib)).toBe(true);
	expect(brief.sent).toHaveLength(16);
	expect(carrier.queueBytes()).toBe(80 * 1024);
	expect(carrier.dropped()).toBe(20);
	for (let i = 0; i < 80; i++) expect(carrier.send("reliable", kib)).toBe(true);
	expect(carrier.send("reliable", kib)).toBe(false);
	expect(reliable.sent).toHaveLength(16);
	brief.drains();
	expect(brief.sent).toHaveLength(32);
});

test("a channel that closes ends the path; a path that was closed says nothing more", () => {
	const { carrier, channels, log, live } = setUp();
	live.onclose?.();
	expect(log).toEqual(["closed"]);
	carrier.close();
	expect(channels.map((c) => c.onclose)).toEqual([null, null, null]);
	expect(channels.every((c) => c.readyState === "closed")).toBe(true);
});

test("a packet that is overdue is told of when it is, and not after the end", () => {
	const { carrier, channels, env, live, brief } = setUp();
	for (const channel of channels) channel.opens();
	const comes = (number: number) => {
		const serial = appendSerial(new Writer(), { number, ask: false, quick: true, kept: false }).finish();
		live.onmessage?.({ data: appendFrame(new Writer(), TYPE_SERIAL, hop(), serial).finish().slice().buffer });
	};
	const told = () => brief.sent.map((frame) => parseReceipt(nextFrame(new Reader(frame)).body).newest);
	for (let number = 1; number < 20; number++) {
		if (number !== 10) comes(number);
		env.advance(30);
	}
	expect(told()).toEqual([11, 12]);
	env.advance(7);
	expect(told()).toEqual([11, 12]);
	env.advance(1);
	expect(told()).toEqual([11, 12, 19]);
	comes(20);
	carrier.close();
	env.advance(1000);
	expect(told()).toEqual([11, 12, 19]);
});
