import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { appendFrame, hop, TYPE_ACK, TYPE_COMMAND, TYPE_DRIVE, TYPE_SIGNAL, Writer } from "../wire";
import { Client, frame, numbers, until, World } from "./contract.testing";
import type { HttpRung } from "./link-carrier";
import { refuse, type ServerLink, TestServer } from "./server.testing";

// What happens to links over HTTP on the way to the server: the carriers of
// this page, a real server, and something between that misbehaves.

let server: TestServer;
let clients: Client[];

beforeEach(async () => {
	server = await TestServer.start();
	clients = [];
});
afterEach(async () => {
	for (const { carrier } of clients) carrier.close();
	await server.stop();
});

function begin(rung: HttpRung, world = new World()): Client {
	const client = new Client(rung, server.url, world);
	clients.push(client);
	return client;
}

async function connect(rung: HttpRung): Promise<[Client, ServerLink]> {
	const arriving = server.next();
	const client = begin(rung);
	const link = await arriving;
	await until(() => expect(client.opens).toBe(1));
	return [client, link];
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

/** loses makes every other answer to a kind of request break off, after the server has done what was asked. */
function loses(path: string): void {
	let count = 0;
	server.meddle = ({ url }, response) => {
		if (url?.endsWith(path) && count++ % 2 === 0) breaksOff(response);
		return false;
	};
}

function breaksOff(response: ServerResponse): void {
	response.writeHead = () => response.destroy() as ServerResponse;
}

test("a packet whose answer was lost is sent again and taken once", async () => {
	const [client, link] = await connect("sse");
	loses("/up");
	for (const n of upTo(6)) {
		client.carrier.send(frame(n));
		await until(() => expect(numbers(link.packets)).toHaveLength(n + 1));
	}
	await until(() => expect(client.carrier.queueBytes()).toBe(0));
	expect(numbers(link.packets)).toEqual(upTo(6));
	expect(link.packets).toHaveLength(link.uploaded);
});

test("an answer to a poll that was lost comes again, and once", async () => {
	const [client, link] = await connect("poll");
	loses("/poll");
	for (const n of upTo(10)) link.send(frame(n));
	await until(() => expect(numbers(client.packets)).toHaveLength(10));
	expect(numbers(client.packets)).toEqual(upTo(10));
});

test("what is said in one task goes in one packet, and so does what waits for a request", async () => {
	const [client, link] = await connect("sse");
	for (const n of upTo(5)) client.carrier.send(frame(n));
	await until(() => expect(link.packets).toHaveLength(1));
	let release = () => undefined as unknown;
	server.meddle = (request, response) => {
		release = () => {
			server.meddle = () => false;
			server.handle(request, response);
		};
		return true;
	};
	client.carrier.send(frame(5));
	await new Promise((resolve) => setTimeout(resolve, 20));
	for (const n of [6, 7, 8]) client.carrier.send(frame(n));
	await new Promise((resolve) => setTimeout(resolve, 20));
	release();
	await until(() => expect(numbers(link.packets)).toEqual(upTo(9)));
	expect(link.packets).toHaveLength(3);
});

describe.each(["sse", "poll"] as const)("several requests at a time on %s", (rung) => {
	const command = (n: number) => appendFrame(new Writer(), TYPE_COMMAND, hop(), body(n)).finish();
	const drive = (n: number) => appendFrame(new Writer(), TYPE_DRIVE, hop(), body(n)).finish();
	const ack = (n: number) => appendFrame(new Writer(), TYPE_ACK, hop(), body(n)).finish();
	const signal = (n: number) => appendFrame(new Writer(), TYPE_SIGNAL, hop(), body(n)).finish();
	const body = (n: number) => new Uint8Array([0, 0, 0, n]);
	const said = (link: ServerLink) => link.packets.map((packet) => packet.at(-1));
	const waiting = new Map<number, () => void>();
	const ups = () => waiting.size;

	/** held keeps requests with packets back, until they are released by number. */
	function held(): (...numbers: number[]) => void {
		waiting.clear();
		server.meddle = (request, response) => {
			const seq = Number(request.headers["telepath-seq"]);
			if (!request.url?.endsWith("/up")) return false;
			waiting.set(seq, () => {
				const meddle = server.meddle;
				server.meddle = () => false;
				server.handle(request, response);
				server.meddle = meddle;
			});
			return true;
		};
		return (...numbers) => {
			for (const seq of numbers) waiting.get(seq)?.();
		};
	}

	async function connected(ahead: number | null): Promise<[Client, ServerLink]> {
		server.ahead = ahead;
		return connect(rung);
	}

	/** say sends frames one after the other, so that each may have a request of its own. */
	async function say(client: Client, ...frames: Uint8Array[]): Promise<void> {
		for (const each of frames) {
			client.carrier.send(each);
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}

	test("what needs no order waits for nothing, what has one is kept in it", async () => {
		const [client, link] = await connected(64);
		const release = held();
		await say(client, command(1), drive(2), command(3), command(4), command(5));
		expect(ups()).toBe(3);
		release(2, 3);
		await until(() => expect(said(link)).toEqual([2]));
		await until(() => expect(ups()).toBe(4)); // with all that waited
		release(1, 4);
		await until(() => expect(said(link)).toEqual([2, 1, 3, 5]));
		await until(() => expect(client.carrier.queueBytes()).toBe(0));
	});

	test("signals go alone, acknowledgements one by one", async () => {
		const [client, link] = await connected(64);
		const release = held();
		await say(client, command(1), signal(2), command(3));
		expect(ups()).toBe(1);
		release(1);
		await until(() => expect(ups()).toBe(2));
		await say(client, drive(4));
		expect(ups()).toBe(2);
		release(2);
		await until(() => expect(ups()).toBe(3));
		await say(client, ack(5), ack(6));
		expect(ups()).toBe(3);
		release(3);
		await until(() => expect(ups()).toBe(4));
		release(4);
		await until(() => expect(said(link)).toEqual([1, 3, 4, 6]));
	});

	test.each([
		[null, 1],
		[2, 2],
	])("a server that says %s gets %i", async (ahead, most) => {
		const [client, link] = await connected(ahead);
		const release = held();
		await say(client, drive(1), drive(2), drive(3));
		expect(ups()).toBe(most);
		release(2);
		await say(client, drive(4));
		expect(ups()).toBe(most);
		release(1);
		await until(() => expect(ups()).toBe(most + 1));
		release(most + 1);
		await until(() => expect(said(link).sort()).toEqual([...upTo(most).map((n) => n + 1), 4]));
	});

	test("answers that are lost are asked for again, and the goodbye comes last", async () => {
		const [client, link] = await connected(64);
		const lost = new Set<string>();
		server.meddle = ({ url, headers }, response) => {
			const seq = String(headers["telepath-seq"]);
			if (url?.endsWith("/up") && !lost.has(seq)) breaksOff(response);
			lost.add(seq);
			return false;
		};
		await say(client, ...upTo(8).map(command));
		await until(() => expect(client.carrier.queueBytes()).toBe(0));
		client.carrier.close();
		await until(() => expect(link.over).toBe(true));
		expect(numbers(link.packets)).toEqual(upTo(8));
	});
});

test("where something refuses large bodies smaller ones are sent, and nothing but what is too large alone is lost", async () => {
	const [client, link] = await connect("sse");
	server.meddle = ({ headers }, response) => {
		const capped = Number(headers["content-length"] ?? 0) > 5_000;
		if (capped) response.writeHead(413).end("<html>too large</html>");
		return capped;
	};
	expect(client.carrier.concern).toBeNull();
	for (const n of upTo(20)) client.carrier.send(frame(n, n === 7 ? 9_000 : 1_000));
	await until(() => expect(client.carrier.queueBytes()).toBe(0));
	expect(numbers(link.packets)).toEqual(upTo(20).filter((n) => n !== 7));
	expect(client.carrier.concern?.name).toBe("body-capped");
	expect(client.ending).toBeNull();
});

test("a gateway that does not reach the server for a moment is waited out", async () => {
	const [client, link] = await connect("poll");
	let left = 4;
	server.meddle = (_, response) => {
		if (left-- <= 0) return false;
		response.writeHead(502).end("<html>bad gateway</html>");
		return true;
	};
	client.carrier.send(frame(0));
	link.send(frame(1));
	await until(() => expect([numbers(link.packets), numbers(client.packets)]).toEqual([[0], [1]]));
});

describe.each(["sse", "poll"] as const)("on %s", (rung) => {
	test("the server's refusal of the opening is told", async () => {
		server.meddle = (_, response) => {
			refuse(response, 401, "unauthorized");
			return true;
		};
		const client = begin(rung);
		await until(() => expect(client.ending).not.toBeNull());
		expect(client.ending).toEqual({ refusal: { code: "unauthorized", reason: "it is unauthorized", remedy: "" } });
	});

	test.each([
		["another program's page", 200, "not-telepath"],
		["an older server, or another one", 404, "not-telepath"],
	])("%s is told as that", async (_, status, name) => {
		server.meddle = (_request, response) => {
			response.writeHead(status, { "Content-Type": "text/html" }).end("<html>");
			return true;
		};
		const client = begin(rung);
		await until(() => expect(client.failure).toBe(name));
	});

	test("a link that the server forgot is over, found out by sending", async () => {
		const [client] = await connect(rung);
		server.links.clear();
		client.carrier.send(frame(1));
		await until(() => expect(client.failure).toBe("unknown-link"));
	});

	test("token and open are headers of the first request; all have the link's id", async () => {
		const [client, link] = await connect(rung);
		client.carrier.send(frame(1));
		await until(() => expect(link.packets).toHaveLength(1));
		const ids = new Set(server.asked.map((request) => request.headers["telepath-link"]));
		expect([...ids]).toEqual([expect.stringMatching(/^[\w-]{22}$/)]);
		expect(server.asked.filter((request) => request.headers.authorization === "Bearer secret")).toHaveLength(1);
	});
});

test("a stream that opens and stays mute is held back by something", async () => {
	server.meddle = ({ url }, response) => {
		if (!url?.endsWith("/sse")) return false;
		response.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
		return true;
	};
	const client = begin("sse", new World(20));
	await until(() => expect(client.failure).toBe("stream-buffered"));
});

test("one that began is not held back, however long nothing happens", async () => {
	const arriving = server.next();
	const client = begin("sse", new World(20));
	await arriving;
	await new Promise((resolve) => setTimeout(resolve, 300));
	expect(client.ending).toBeNull();
});

test.skipIf(typeof WebSocket === "undefined")("a WebSocket that opens and stays mute is stalled", async () => {
	const client = begin("ws", new World(20));
	await until(() => expect(client.failure).toBe("upgrade-stalled"));
	expect(client.opens).toBe(1);
});
