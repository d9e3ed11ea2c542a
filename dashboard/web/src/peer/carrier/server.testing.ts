import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { appendSignal } from "../signal";
import { closeCode, codeByName, hop, Writer } from "../wire";
import { encodeBase64url } from "./base64url";
import type { LinkRung } from "./link-carrier";
import { ServerSocket } from "./sockets.testing";

// A server that keeps sections 6.1 and 6.7 of the protocol and does nothing else,
// on a real socket of this machine: what the carriers are tested against.

/** A poll is held so long, in ms, when there is nothing to say. */
const HOLD = 200;

type Handler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** ServerLink is the server's end of one link. */
export class ServerLink {
	readonly packets: Uint8Array[] = []; // received
	over = false;
	socket: ServerSocket | null = null;
	stream: ServerResponse | null = null;
	uploaded = 0; // number of the last packet before which all were taken by POST
	private readonly beyond = new Set<number>(); // numbers after it that were taken
	private moved: (() => void)[] = []; // who waits for it
	private readonly waiting: Uint8Array[] = []; // for a poll
	private answer: { seq: number; packet: Uint8Array } | null = null;
	private wake: () => void = () => undefined;

	constructor(
		readonly rung: LinkRung,
		readonly request: IncomingMessage,
	) {}

	send(packet: Uint8Array): void {
		if (this.socket) this.socket.send(packet);
		else if (this.stream) this.stream.write(`data: ${encodeBase64url(packet)}\n\n`);
		else this.waiting.push(packet);
		this.wake();
	}

	close(code: string, reason: string): void {
		if (this.socket) this.socket.close(closeCode(codeByName(code)), reason);
		else this.end(code, reason);
	}

	/** cut ends what carries the link now, without a word. */
	cut(): void {
		this.socket?.cut();
		this.stream?.destroy();
	}

	private end(code: string, reason: string): void {
		const end = { type: "end", code, reason } as never; // a viewer says it without a code only
		this.send(appendSignal(new Writer(), hop(), end).finish());
		this.stream?.end();
	}

	/** upload takes a packet once: now, or, where it has an order, when all before it were. */
	async upload(seq: number, free: boolean, packet: Uint8Array): Promise<void> {
		while (!free && seq > this.uploaded + 1) await new Promise<void>((resolve) => this.moved.push(resolve));
		if (seq <= this.uploaded || this.beyond.has(seq)) return;
		this.beyond.add(seq);
		if (packet.length > 0) this.packets.push(packet);
		if (isEnd(packet)) this.over = true;
		while (this.beyond.delete(this.uploaded + 1)) this.uploaded++;
		for (const go of this.moved.splice(0)) go();
	}

	/** poll is the answer to a request by number, the same one each time it is asked for. */
	async poll(seq: number): Promise<Uint8Array> {
		if (this.answer?.seq === seq) return this.answer.packet;
		if (seq > 1 && this.waiting.length === 0) await this.something();
		const packet = this.waiting.shift() ?? new Uint8Array(0);
		this.answer = { seq, packet };
		return packet;
	}

	private something(): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, HOLD);
			this.wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}
}

/** TestServer listens on a port of its own until stop. */
export class TestServer {
	readonly links = new Map<string, ServerLink>();
	readonly asked: IncomingMessage[] = [];
	/** meddle may do something else to a request than what belongs to it; true: it did. */
	meddle: Handler = () => false;
	/** ahead is how far beyond one that is missing packets may come; null: it does not say. */
	ahead: number | null = null;
	/** url of its links. */
	url = "";
	private readonly server: Server;
	private arrived: (link: ServerLink) => void = () => undefined;

	private constructor() {
		this.server = createServer((request, response) => this.handle(request, response));
		this.server.on("upgrade", (request, socket) => {
			this.asked.push(request);
			const link = this.add(`ws ${this.links.size}`, new ServerLink("ws", request));
			link.socket = new ServerSocket(request, socket, {
				onMessage: (message) => link.packets.push(message),
				onClose: () => {
					link.over = true;
				},
			});
			this.arrived(link);
		});
	}

	static async start(): Promise<TestServer> {
		const made = new TestServer();
		await new Promise<void>((resolve) => made.server.listen(0, "127.0.0.1", resolve));
		made.url = `http://127.0.0.1:${(made.server.address() as AddressInfo).port}/v1/link`;
		return made;
	}

	/** next is the next link that is opened. */
	next(): Promise<ServerLink> {
		return new Promise((resolve) => {
			this.arrived = resolve;
		});
	}

	async stop(): Promise<void> {
		for (const link of this.links.values()) link.cut();
		this.server.closeAllConnections();
		await new Promise((resolve) => this.server.close(resolve));
	}

	private add(id: string, link: ServerLink): ServerLink {
		this.links.set(id, link);
		return link;
	}

	handle(request: IncomingMessage, response: ServerResponse): void {
		this.asked.push(request);
		response.on("error", () => undefined);
		if (this.meddle(request, response)) return;
		const path = request.url?.slice("/v1/link/".length) ?? "";
		if (path === "sse") this.stream(request, response);
		else if (path === "poll") void this.poll(request, response);
		else if (path === "up") void this.up(request, response);
		else refuse(response, 426, "version");
	}

	private stream(request: IncomingMessage, response: ServerResponse): void {
		const link = this.add(idOf(request), new ServerLink("sse", request));
		link.stream = response;
		response.writeHead(200, { ...this.opening(), "Content-Type": "text/event-stream" }).write(":\n\n");
		response.on("close", () => {
			link.over = true;
		});
		this.arrived(link);
	}

	private async poll(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const seq = Number(request.headers["telepath-seq"]);
		let link = this.links.get(idOf(request));
		if (link === undefined && seq === 1) {
			link = this.add(idOf(request), new ServerLink("poll", request));
			this.arrived(link);
		}
		if (link === undefined || link.over) return refuse(response, 404, "unknown-link");
		const packet = await link.poll(seq);
		response.writeHead(200, { ...(seq === 1 && this.opening()), "Telepath-Seq": String(seq) }).end(packet);
	}

	private async up(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const link = this.links.get(idOf(request));
		if (link === undefined || link.over) return refuse(response, 404, "unknown-link");
		const packet = await bodyOf(request);
		if (packet === null) return;
		const seq = Number(request.headers["telepath-seq"]);
		if (seq > link.uploaded + (this.ahead ?? 1)) return refuse(response, 400, "malformed");
		await link.upload(seq, request.headers["telepath-ahead"] === "1", packet);
		response.writeHead(204).end();
	}

	private opening(): Record<string, string> {
		return this.ahead === null ? {} : { "Telepath-Ahead": String(this.ahead) };
	}
}

/** refuse answers as section 6.1 says. */
export function refuse(response: ServerResponse, status: number, code: string): void {
	response.writeHead(status, { "Content-Type": "application/json" });
	response.end(JSON.stringify({ code, reason: `it is ${code}`, remedy: "" }));
}

function idOf(request: IncomingMessage): string {
	return String(request.headers["telepath-link"]);
}

function isEnd(packet: Uint8Array): boolean {
	return new TextDecoder().decode(packet).includes('{"type":"end"}');
}

/** bodyOf reads a request's body; null: it broke off. */
function bodyOf(request: IncomingMessage): Promise<Uint8Array | null> {
	const pieces: Buffer[] = [];
	return new Promise((resolve) => {
		request.on("data", (piece: Buffer) => pieces.push(piece));
		request.on("end", () => resolve(new Uint8Array(Buffer.concat(pieces))));
		request.on("error", () => resolve(null));
	});
}
