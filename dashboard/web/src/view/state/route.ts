/** Route is what the fragment of the address asks for. */
export type Route = { view: "home" } | { view: "device"; device: string };

/** parseRoute reads "#/d/NAME-OR-ID"; everything else is the home page. */
export function parseRoute(hash: string): Route {
	const device = /^#\/d\/([^/]+)\/?$/.exec(hash)?.[1];
	const name = device === undefined ? "" : decoded(device);
	return name === "" ? { view: "home" } : { view: "device", device: name };
}

export function deviceHash(device: string): string {
	return `#/d/${encodeURIComponent(device)}`;
}

/** loginCode is the single-use code of "#code=…", if there is one. */
export function loginCode(hash: string): string | null {
	return /^#code=([0-9A-Za-z_-]{1,128})$/.exec(hash)?.[1] ?? null;
}

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return ""; // a percent sign that begins no escape
	}
}
