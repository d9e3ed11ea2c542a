import type { Refusal } from "../peer/signal";

/** How long the server may take to say why, in ms. */
const PATIENCE = 3_000;
/** An answer longer than this is no refusal. */
const MAX_ANSWER = 4096;

/** Said in the place of a token where there is none: a browser sends no Origin here, and the server wants one of the two. */
const NO_TOKEN = "none";

/**
 * askWhy asks the server by plain HTTP why it refuses the link: a browser hides
 * the answer to a WebSocket's request. null: the server did not say, or cannot
 * be reached. The token goes in a header, as from any other client.
 */
export async function askWhy(url: string, token: string): Promise<Refusal | null> {
	try {
		const response = await fetch(url.replace(/^ws/, "http"), {
			headers: { Authorization: `Bearer ${token || NO_TOKEN}` },
			signal: AbortSignal.timeout(PATIENCE),
			cache: "no-store",
		});
		const refusal = refusalOf(await response.text());
		if (token !== "" || refusal?.code !== "unauthorized") return refusal;
		return { ...refusal, reason: "this server lets nobody in without a token" };
	} catch {
		return null; // it cannot be reached: that is the answer
	}
}

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
