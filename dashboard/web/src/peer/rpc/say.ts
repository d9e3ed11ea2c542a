import { FormatError, MAX_COMMAND } from "../wire";
import type { Command } from "./message";

/** encode writes the body of a Command frame. */
export function encode(command: Command): Uint8Array<ArrayBuffer> {
	const body = new TextEncoder().encode(JSON.stringify(command));
	if (body.length > MAX_COMMAND)
		throw new FormatError("long", `command of ${body.length} bytes, more than ${MAX_COMMAND}`);
	return body;
}
