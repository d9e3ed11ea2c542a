import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Env, realEnv } from "../env";
import { appendFrame, eachFrame, hop, MAX_PACKET, TYPE_SIGNAL, Writer } from "../wire";
import { dial } from "./dial";
import type { Ending, HttpRung, LinkCarrier } from "./link-carrier";
import { type ServerLink, TestServer } from "./server.testing";

// The contract of a link's carriers as tests, the twin of Go's carriertest: all
// of them pass it, over real sockets.

/** Client is a carrier and what it told. */
export class Client {
	readonly packets: Uint8Array[] = [];
	opens = 0;
	ending: Ending | null = null;
	readonly carrier: LinkCarrier;

	constructor(rung: HttpRung, url: string, env: Env, token = "secret", open: object | null = null) {
		const events = {
			onOpen: () => {
				this.opens++;
			},
			onPacket: (packet: Uint8Array) => this.packets.push(packet),
			onOver: (ending: Ending) => {
				this.ending = ending;
			},
		};
		this.carrier = dial(rung, { url, token, open }, events, env);
	}

	/** failure is the name of what ended it. */
	get failure(): string {
		if (this.ending === null) return "";
		return "failure" in this.ending ? this.ending.failure.name : this.ending.refusal.code;
	}
}

/** World is real, and counts the timers that run. */
export class World implements Env {
	private readonly real = realEnv(() => undefined);
	readonly timers = new Set<object>();
	now = this.real.now;
	wall = this.real.wall;
	rebase = this.real.rebase;
	random = this.real.random;
	uuid = this.real.uuid;
	debug = this.real.debug;

	/** speed divides all waiting. */
	constructor(private readonly speed = 1) {}

	later(ms: number, call: () => void): () => void {
		const timer = {};
		this.timers.add(timer);
		const cancel = this.real.later(ms / this.speed, () => {
			this.timers.delete(timer);
			call();
		});
		return () => {
			this.timers.delete(timer);
			cancel();
		};
	}
}

/** frame is a whole frame whose body says which it is, of a size in all. */
export function frame(n: number, size = 16): Uint8Array {
	const body = new Uint8Array(Math.max(4, size - (size > 16_000 ? 5 : size > 120 ? 4 : 3)));
	new DataView(body.buffer).setUint32(0, n);
	return appendFrame(new Writer(), 99, hop(), body).finish();
}

/** numbers are what the frames of packets say, in order; a packet that holds anything but whole frames fails the test. */
export function numbers(packets: Uint8Array[]): number[] {
	const found: number[] = [];
	for (const packet of packets) {
		eachFrame(
			packet,
			({ type, body }) => {
				if (type !== TYPE_SIGNAL) found.push(new DataView(body.buffer, body.byteOffset).getUint32(0));
			},
			(error) => expect.fail(`a packet does not end with a frame: ${error.message}`),
		);
	}
	return found;
}

export const until = (what: () => void) => vi.waitFor(what, { timeout: 5_000, interval: 5 });

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

export interface Harness {
	rung: HttpRung;
	/** codes: closing carries its code to the other end by itself; elsewhere the last packet says it. */
	codes: boolean;
}

/** contract runs the suite. */
export function contract({ rung, codes }: Harness): void {
	describe(`the contract of ${rung}`, () => {
		let server: TestServer;
		let world: World;
		let clients: Client[];

		beforeEach(async () => {
			server = await TestServer.start();
			world = new World();
			clients = [];
		});
		afterEach(async () => {
			for (const { carrier } of clients) carrier.close();
			await server.stop();
		});

		async function connect(open: object | null = null): Promise<[Client, ServerLink]> {
			const arriving = server.next();
			const client = new Client(rung, server.url, world, "secret", open);
			clients.push(client);
			const link = await arriving;
			await until(() => expect(client.opens).toBe(1));
			return [client, link];
		}

		test("packets arrive whole and in order, both ways", async () => {
			const [client, link] = await connect();
			const size = (n: number) => 16 + ((n * 7_919) % 3_000);
			for (const n of upTo(300)) {
				expect(client.carrier.send(frame(n, size(n)))).toBe(true);
				link.send(frame(n, size(n)));
				if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
			}
			await until(() => expect(numbers(link.packets)).toHaveLength(300));
			await until(() => expect(numbers(client.packets)).toHaveLength(300));
			expect(numbers(link.packets)).toEqual(upTo(300));
			expect(numbers(client.packets)).toEqual(upTo(300));
			expect(Math.max(...link.packets.map((p) => p.length))).toBeLessThanOrEqual(MAX_PACKET);
			await until(() => expect(client.carrier.queueBytes()).toBe(0));
		});

		test("the largest packets arrive", async () => {
			const [client, link] = await connect();
			const largest = frame(7, MAX_PACKET);
			expect(largest).toHaveLength(MAX_PACKET);
			client.carrier.send(largest);
			link.send(largest);
			await until(() => expect([link.packets.length, client.packets.length]).toEqual([1, 1]));
			for (const [got] of [link.packets, client.packets]) expect(Buffer.compare(got ?? frame(0), largest)).toBe(0);
		});

		test("the request carries the open, and nothing secret in its address", async () => {
			const [client] = await connect({ type: "open", device: "pi" });
			expect(client.carrier.opened).toBe(true);
			const [request] = server.asked;
			const said = JSON.stringify(request?.headers);
			expect(said).toMatch(/eyJ0eXBlIjoib3BlbiIsImRldmljZSI6InBpIn0/);
			expect(said).toMatch(/c2VjcmV0|secret/);
			expect(server.asked.map((r) => r.url).join()).not.toMatch(/secret|c2VjcmV0|eyJ0/);
		});

		test("an open that is too long for the request is left for later", async () => {
			const [client] = await connect({ type: "open", want: "x".repeat(4_000) });
			expect(client.carrier.opened).toBe(false);
		});

		test("closing sends what is queued first, and the other end learns of it", async () => {
			const [client, link] = await connect();
			for (const n of upTo(20)) client.carrier.send(frame(n, 1_000));
			client.carrier.close();
			await until(() => expect(link.over).toBe(true));
			expect(numbers(link.packets)).toEqual(upTo(20));
		});

		test("after the end nothing is accepted, and nothing called back", async () => {
			const [client, link] = await connect();
			client.carrier.close();
			expect(client.carrier.send(frame(1))).toBe(false);
			link.send(frame(1));
			link.close("draining", "");
			await new Promise((resolve) => setTimeout(resolve, 50));
			expect([client.packets, client.ending]).toEqual([[], null]);
			client.carrier.close();
		});

		test("the other end's code arrives", async () => {
			const [client, link] = await connect();
			link.send(frame(1));
			link.close("draining", "restarting");
			if (codes) {
				await until(() => expect(client.failure).toBe("draining"));
				expect(client.ending).toEqual({ refusal: { code: "draining", reason: "restarting", remedy: "" } });
			} else {
				await until(() => expect(client.packets).toHaveLength(2));
				expect(new TextDecoder().decode(client.packets[1])).toMatch(
					/{"type":"end","code":"draining","reason":"restarting"}$/,
				);
			}
		});

		test("a link that is not there any more is over", async () => {
			const [client, link] = await connect();
			link.over = true;
			link.cut();
			await until(() => expect(client.failure).toMatch(rung === "poll" ? /unknown-link/ : /cut/));
			expect(client.carrier.send(frame(1))).toBe(false);
		});

		// Node 20's WebSocket fires no close event where there never was a connection; browsers do.
		test.skipIf(rung === "ws")("a server that is not there is told as that", async () => {
			await server.stop();
			const client = new Client(rung, server.url, world);
			await until(() => expect(client.failure).toBe("unanswered"));
			expect(client.opens).toBe(0);
		});

		test("no timer outlives it", async () => {
			const [client, link] = await connect();
			client.carrier.send(frame(1));
			link.send(frame(1));
			await until(() => expect(client.packets).toHaveLength(1));
			client.carrier.close();
			const early = new Client(rung, server.url, world);
			early.carrier.close();
			await until(() => expect(world.timers.size).toBe(0));
		});
	});
}
