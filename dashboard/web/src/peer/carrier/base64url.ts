// base64url without padding: how the protocol writes bytes as text.

/** encodeBase64url writes bytes. */
export function encodeBase64url(bytes: Uint8Array): string {
	const text = Array.from(bytes, (b) => String.fromCharCode(b)).join("");
	return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** decodeBase64url reads bytes; null: the text is no base64url. */
export function decodeBase64url(text: string): Uint8Array | null {
	let binary: string;
	try {
		binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
	} catch {
		return null;
	}
	const bytes = new Uint8Array(binary.length);
	for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
	return bytes;
}
