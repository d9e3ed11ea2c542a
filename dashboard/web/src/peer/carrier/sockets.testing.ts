import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { SUBPROTOCOL } from "./subprotocol";

// The server's end of a WebSocket (RFC 6455), as far as tests of the client's end need it.

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const BINARY = 2;
const CLOSE = 8;

export interface ServerSocketEvents {
	onMessage(message: Uint8Array): void;
	onClose(): void;
}

/** ServerSocket is one upgraded connection. */
export class ServerSocket {
	private rest = Buffer.alloc(0);

	constructor(
		request: IncomingMessage,
		private readonly socket: Duplex,
		private readonly events: ServerSocketEvents,
	) {
		const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${GUID}`).digest("base64");
		socket.write(
			`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
				`Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`,
		);
		socket.on("data", (piece: Buffer) => this.read(piece));
		socket.on("error", () => undefined);
		socket.on("close", () => events.onClose());
	}

	send(message: Uint8Array): void {
		this.frame(BINARY, message);
	}

	close(status: number, reason: string): void {
		const body = Buffer.alloc(2 + Buffer.byteLength(reason));
		body.writeUInt16BE(status);
		body.write(reason, 2);
		this.frame(CLOSE, body);
		this.socket.end();
	}

	cut(): void {
		this.socket.destroy();
	}

	private frame(opcode: number, body: Uint8Array): void {
		const head = Buffer.alloc(body.length < 126 ? 2 : body.length < 65_536 ? 4 : 10);
		head[0] = 0x80 | opcode;
		head[1] = body.length < 126 ? body.length : body.length < 65_536 ? 126 : 127;
		if (head.length === 4) head.writeUInt16BE(body.length, 2);
		if (head.length === 10) head.writeBigUInt64BE(BigInt(body.length), 2);
		this.socket.write(Buffer.concat([head, body]));
	}

	private read(piece: Buffer): void {
		this.rest = Buffer.concat([this.rest, piece]);
		for (let size = this.whole(); size > 0 && size <= this.rest.length; size = this.whole()) {
			const frame = this.rest.subarray(0, size);
			this.rest = this.rest.subarray(size);
			this.take((frame[0] ?? 0) & 15, frame);
		}
	}

	/** whole is the size of the frame that begins here; 0: not known yet. */
	private whole(): number {
		if (this.rest.length < 2) return 0;
		const short = (this.rest[1] ?? 0) & 127;
		const head = 6 + (short < 126 ? 0 : short === 126 ? 2 : 8);
		if (this.rest.length < head) return 0;
		const length =
			short < 126 ? short : short === 126 ? this.rest.readUInt16BE(2) : Number(this.rest.readBigUInt64BE(2));
		return head + length;
	}

	private take(opcode: number, frame: Buffer): void {
		const short = (frame[1] ?? 0) & 127;
		const head = 6 + (short < 126 ? 0 : short === 126 ? 2 : 8);
		const mask = frame.subarray(head - 4, head);
		const body = frame.subarray(head).map((byte, i) => byte ^ (mask[i % 4] ?? 0));
		if (opcode === BINARY) this.events.onMessage(new Uint8Array(body));
		if (opcode === CLOSE) this.socket.end();
	}
}
