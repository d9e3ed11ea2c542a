/** Problem is a failure in words: what happened, and what to do. */
export interface Problem {
	code: string;
	reason: string;
	remedy: string;
}

/** Proof is what a person has: a login code, or a token that was pasted. */
export type Proof = { code: string } | { token: string };

/** Session is what a proof is traded for: it ends by itself, so that the page keeps nothing that lasts. */
export interface Session {
	token: string;
	role: string;
}

const TOKEN_KEY = "telepath.token";

/** storedToken is the token of an earlier visit, "" when there is none or the browser keeps nothing. */
export function storedToken(): string {
	try {
		return localStorage.getItem(TOKEN_KEY) ?? "";
	} catch {
		return "";
	}
}

/** storeToken remembers a token, or forgets it when it is "". A browser that keeps nothing asks again next time. */
export function storeToken(token: string): void {
	try {
		if (token === "") localStorage.removeItem(TOKEN_KEY);
		else localStorage.setItem(TOKEN_KEY, token);
	} catch {
		// Private windows may refuse: the token then lives as long as the page.
	}
}

/** cleanToken takes what people paste: with spaces around it, or the whole line of a header. */
export function cleanToken(text: string): string {
	return text.replace(/^\s*(authorization:\s*)?(bearer\s+)?/i, "").trim();
}

/** redeem trades a proof for a session. The header keeps pages of other origins out: they cannot set it unasked. */
export async function redeem(base: URL, proof: Proof, fetcher: typeof fetch = fetch): Promise<Session | Problem> {
	try {
		const response = await fetcher(new URL("v1/login", base), {
			method: "POST",
			headers: { "Content-Type": "application/json", "Telepath-Request": "1" },
			body: JSON.stringify(proof),
			cache: "no-store",
			credentials: "omit",
		});
		const answer: unknown = await response.json().catch(() => null);
		return response.ok ? session(answer) : problem(answer, response.status);
	} catch {
		return {
			code: "unreachable",
			reason: "The server did not answer the login.",
			remedy: "Check that it is still running, and open its link again.",
		};
	}
}

function session(answer: unknown): Session | Problem {
	const { token, role } = members(answer);
	if (typeof token === "string" && token !== "") return { token, role: typeof role === "string" ? role : "" };
	return problem(null, 200);
}

function problem(answer: unknown, status: number): Problem {
	const { code, reason, remedy } = members(answer);
	return {
		code: typeof code === "string" ? code : String(status),
		reason:
			typeof reason === "string" && reason !== "" ? reason : `The server answered the login with status ${status}.`,
		remedy:
			typeof remedy === "string" && remedy !== ""
				? remedy
				: status >= 500
					? "Try again in a moment. If it keeps failing, look at the server's log, or at the proxy in front of it."
					: "A link works once, within ten minutes. Make a new one with `telepath-signaling login-url --data DIR`.",
	};
}

function members(value: unknown): Record<string, unknown> {
	return typeof value === "object" && value !== null ? { ...value } : {};
}
