/** What must not stand in a name: control, format (bidirectional, zero width), line separator and private characters. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\ufffd]/u;

/** printable reports whether a text may be shown as it is. */
export function printable(text: string): boolean {
	return !UNPRINTABLE.test(text);
}

/** checkName says what is wrong with a device or stream name of at most limit bytes (section 3.6); null if nothing is. */
export function checkName(name: string, limit: number): string | null {
	const bytes = new TextEncoder().encode(name).length;
	if (bytes === 0) return "the name is empty";
	if (bytes > limit) return `the name has ${bytes} bytes, more than ${limit}`;
	if (name.startsWith(" ") || name.endsWith(" ")) return "the name begins or ends with a space";
	const found = UNPRINTABLE.exec(name)?.[0].codePointAt(0);
	if (found === undefined) return null;
	const point = found.toString(16).toUpperCase().padStart(4, "0");
	return `the name has the character U+${point}: control and invisible formatting characters are not allowed`;
}

/** clean makes a text safe to show: without what is not printable, and of at most limit characters. */
export function clean(text: string, limit: number): string {
	const shown = Array.from(text).filter(printable);
	return shown.slice(0, limit).join("");
}

/** plain is a text as one line that is safe to show: breaks and tabs are spaces, what is not printable is gone. */
export function plain(text: string): string {
	return printable(text)
		? text
		: text.replace(/[\n\r\t\u2028\u2029]+/g, " ").replace(new RegExp(UNPRINTABLE, "gu"), "");
}
