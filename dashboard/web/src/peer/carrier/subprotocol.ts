// Token and first request, which nothing secret in a URL may carry. A browser
// cannot set headers on a WebSocket: there they travel as elements of
// Sec-WebSocket-Protocol (section 6.1), elsewhere as headers (section 6.7).

import { encodeBase64url } from "./base64url";

export const SUBPROTOCOL = "telepath.v1";

/** An open signal longer than this, as base64url, is sent after the opening instead. */
const MAX_OPEN = 4096;

/** offers are the protocols to name: the real one, the token if there is one, the open signal if it fits. */
export function offers(token: string, open: object | null): { protocols: string[]; opened: boolean } {
	const protocols = [SUBPROTOCOL];
	if (token !== "") protocols.push(`token.${base64url(token)}`);
	const request = fitting(open);
	if (request !== "") protocols.push(`open.${request}`);
	return { protocols, opened: request !== "" };
}

/** openingHeaders say the same to a server that is asked by plain HTTP. */
export function openingHeaders(
	token: string,
	open: object | null,
): { headers: Record<string, string>; opened: boolean } {
	const headers: Record<string, string> = {};
	if (token !== "") headers.Authorization = `Bearer ${token}`;
	const request = fitting(open);
	if (request !== "") headers["Telepath-Open"] = request;
	return { headers, opened: request !== "" };
}

/** base64url encodes the text's UTF-8. */
export function base64url(text: string): string {
	return encodeBase64url(new TextEncoder().encode(text));
}

/** fitsRequest says whether an open signal fits into the first request. */
export function fitsRequest(open: object): boolean {
	return fitting(open) !== "";
}

function fitting(open: object | null): string {
	const request = open === null ? "" : base64url(JSON.stringify(open));
	return request.length <= MAX_OPEN ? request : "";
}
