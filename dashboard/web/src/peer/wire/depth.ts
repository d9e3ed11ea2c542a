const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** [ and { differ in one bit, as ] and } do. */
const CASE = 0x20;
const OPEN = 0x7b;
const SHUT = 0x7d;

/** depth is the deepest nesting of brackets outside strings, known before anything is parsed. */
export function depth(body: Uint8Array): number {
	let deepest = 0;
	let now = 0;
	let inString = false;
	for (let i = 0; i < body.length; i++) {
		const c = body[i] ?? 0;
		if (inString && c === BACKSLASH) i++;
		else if (c === QUOTE) inString = !inString;
		else if (inString) continue;
		else if ((c | CASE) === OPEN) deepest = Math.max(deepest, ++now);
		else if ((c | CASE) === SHUT) now--;
	}
	return deepest;
}
