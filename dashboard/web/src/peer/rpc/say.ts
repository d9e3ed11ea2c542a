import { FormatError, MAX_COMMAND } from "../wire";
import type { Command } from "./message";

/** The largest that a number of a call may be which it is given when it is sent. */
const MOST = { epoch: 2 ** 32 - 1, by: Number.MAX_SAFE_INTEGER, fence: Number.MAX_SAFE_INTEGER };

/** tooLong is why a call cannot be sent: no receiver takes one that is longer; null: it can. */
export function tooLong(id: string, method: string, params: unknown): { code: string; reason: string } | null {
	const { length } = bytes({ type: "call", id, method, params, ...MOST });
	if (length <= MAX_COMMAND) return null;
	return { code: "params", reason: `with its parameters the call takes ${length} bytes, more than ${MAX_COMMAND}` };
}

/** encode writes the body of a Command frame. */
export function encode(command: Command): Uint8Array<ArrayBuffer> {
	const body = bytes(command);
	if (body.length > MAX_COMMAND)
		throw new FormatError("long", `command of ${body.length} bytes, more than ${MAX_COMMAND}`);
	return body;
}

function bytes(command: Command): Uint8Array<ArrayBuffer> {
	return new TextEncoder().encode(JSON.stringify(command));
}
