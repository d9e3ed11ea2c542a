// A browser cannot set headers on a WebSocket, and nothing secret may be in a
// URL: token and first request travel as elements of Sec-WebSocket-Protocol
// (section 6.1).

export const SUBPROTOCOL = "telepath.v1";

/** An open signal longer than this, as base64url, is sent after the upgrade instead. */
const MAX_OPEN = 4096;

/** offers are the protocols to name: the real one, the token if there is one, the open signal if it fits. */
export function offers(token: string, open: object | null): { protocols: string[]; opened: boolean } {
	const protocols = [SUBPROTOCOL];
	if (token !== "") protocols.push(`token.${base64url(token)}`);
	const request = open === null ? "" : base64url(JSON.stringify(open));
	const opened = request !== "" && request.length <= MAX_OPEN;
	if (opened) protocols.push(`open.${request}`);
	return { protocols, opened };
}

/** base64url encodes the text's UTF-8 without padding. */
export function base64url(text: string): string {
	const bytes = Array.from(new TextEncoder().encode(text), (b) => String.fromCharCode(b));
	return btoa(bytes.join("")).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
