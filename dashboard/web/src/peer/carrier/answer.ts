import { failure } from "../failures";
import type { Refusal } from "../signal";
import { CODES } from "../wire";
import type { Ending } from "./link-carrier";

/** An answer longer than this is no refusal. */
const MAX_ANSWER = 4096;

/** refusalOf reads a refusal (section 6.1); null: it is none. */
export function refusalOf(text: string): Refusal | null {
	if (text.length > MAX_ANSWER) return null;
	let body: unknown;
	try {
		body = JSON.parse(text);
	} catch {
		return null;
	}
	if (typeof body !== "object" || body === null) return null;
	const { code, reason, remedy } = body as Record<string, unknown>;
	if (typeof code !== "string" || code === "") return null;
	return { code, reason: typeof reason === "string" ? reason : "", remedy: typeof remedy === "string" ? remedy : "" };
}

/** isRefusal tells a refusal of the table from what an older server says of a path that it does not know. */
export function isRefusal(refusal: Refusal | null): refusal is Refusal {
	return CODES.some((code) => code.name === refusal?.code);
}

/** endingOf reads an answer that is not the one asked for: the server's refusal, or the word of something between. */
export async function endingOf(response: Response): Promise<Ending> {
	const text = await response.text().catch(() => "");
	const refusal = refusalOf(text);
	if (isRefusal(refusal)) return { refusal };
	if (response.status === 413) return { failure: failure("body-capped") };
	return { failure: failure("not-telepath", `HTTP status ${response.status}`) };
}
