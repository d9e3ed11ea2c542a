/** Identity is who this page is to devices: the key is its secret, the name is what other operators are shown. */
export interface Identity {
	key: string;
	name: string;
}

/** What outlives a reload of this page, and nothing more: another tab is somebody else. */
const KEY = "telepath.hand";
const HELD = "telepath.held";
const CALLS = "telepath.calls";
/** The name is of the browser. */
const NAME = "telepath.name";
/** Longest name, in bytes (protocol, 10.1). */
const MAX_NAME = 64;
/** Calls that are asked for again after a reload. */
const MAX_CALLS = 16;

/** Held is a lease that this page had: of which device, and until when if nobody is heard, ms. */
interface Held {
	device: string;
	until: number;
}

/** OpenCall is a call whose end has not come. */
export interface OpenCall {
	id: string;
	method: string;
}

/**
 * identity is the same after a reload. A tab that is duplicated, or opened by this page, gets a copy of its storage, and must not drive with
 * its right: so the key is there only from when a page goes (leaveKey) until the next one takes it.
 */
export function identity(): Identity {
	const left = read(tab, KEY) ?? "";
	takeKey();
	if (left.length >= 20) return named(left);
	write(tab, HELD, "");
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return named(
		btoa(String.fromCharCode(...bytes))
			.replaceAll("+", "-")
			.replaceAll("/", "_")
			.replaceAll("=", ""),
	);
}

/** leaveKey leaves the key for the next page in this tab. */
export function leaveKey(key: string): void {
	write(tab, KEY, key);
}

/** takeKey is for a page that came back as it was, too. */
export function takeKey(): void {
	write(tab, KEY, "");
}

/** rename keeps another name, for all pages of this browser; an empty one is made from the key. */
export function rename(who: Identity, name: string): Identity {
	write(browser, NAME, cleanName(name));
	return named(who.key, cleanName(name));
}

function named(key: string, name = cleanName(read(browser, NAME) ?? "")): Identity {
	return { key, name: name === "" ? `Browser ${key.replaceAll(/[-_]/g, "").slice(0, 4)}` : name };
}

/** cleanName has nothing that cannot be shown, and no more bytes than may be sent. */
export function cleanName(name: string): string {
	const shown = name.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\ufffd]/gu, "").trim();
	let [clean, bytes] = ["", 0];
	for (const character of shown) {
		bytes += new TextEncoder().encode(character).length;
		if (bytes > MAX_NAME) break;
		clean += character;
	}
	return clean.trim();
}

/** keepHeld notes that the lease of a device is this page's for so long; 0: it is not. */
export function keepHeld(device: string, ms: number): void {
	write(tab, HELD, ms === 0 ? "" : JSON.stringify({ device, until: Date.now() + ms }));
}

/** wasHeld says whether the lease was this page's a moment ago, before it was loaded. */
export function wasHeld(device: string): boolean {
	const held = parse<Partial<Held>>(read(tab, HELD), {});
	return held.device === device && typeof held.until === "number" && Date.now() < held.until;
}

/** keepCalls notes the calls of a device whose end has not come. */
export function keepCalls(device: string, calls: readonly OpenCall[]): void {
	write(tab, CALLS, calls.length === 0 ? "" : JSON.stringify({ device, calls: calls.slice(0, MAX_CALLS) }));
}

/** openCalls are those of before this page was loaded. */
export function openCalls(device: string): OpenCall[] {
	const kept = parse<{ device?: unknown; calls?: unknown }>(read(tab, CALLS), {});
	if (kept.device !== device || !Array.isArray(kept.calls)) return [];
	return kept.calls.filter((call) => typeof call?.id === "string" && typeof call?.method === "string");
}

function parse<T>(text: string | null, otherwise: T): T {
	try {
		return text === null || text === "" ? otherwise : (JSON.parse(text) ?? otherwise);
	} catch {
		return otherwise;
	}
}

/** Where storage is forbidden, even to name it throws. */
const tab = () => sessionStorage;
const browser = () => localStorage;

/** A browser that keeps nothing for the page makes it somebody else after a reload. */
function read(from: () => Storage, key: string): string | null {
	try {
		return from().getItem(key);
	} catch {
		return null;
	}
}

function write(to: () => Storage, key: string, value: string): void {
	try {
		if (value === "") to().removeItem(key);
		else to().setItem(key, value);
	} catch {
		// As above.
	}
}
