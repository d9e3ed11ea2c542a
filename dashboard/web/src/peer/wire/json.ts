import { depth } from "./depth";
import { FormatError } from "./fault";

/** MAX_DEPTH of nested arrays and objects (section 3.6). */
const MAX_DEPTH = 16;

/** parseJSON reads JSON of at most limit bytes that came from elsewhere; what it is called in a fault. */
export function parseJSON(body: Uint8Array, limit: number, what: string): unknown {
	if (body.length > limit) throw new FormatError("signal", `${what} of ${body.length} bytes, more than ${limit}`);
	if (depth(body) > MAX_DEPTH) throw new FormatError("signal", `${what} nested deeper than ${MAX_DEPTH}`);
	try {
		return JSON.parse(new TextDecoder().decode(body));
	} catch {
		throw new FormatError("signal", `${what} is no JSON`);
	}
}
