/** What the DOM's types do not know yet: Trusted Types, in the little that is used here. */
interface TrustedTypes {
	createPolicy(name: string, rules: { createScriptURL(url: string): string }): unknown;
}

/**
 * trustWorker lets this page start scripts of its own origin as Workers, and
 * nothing else: under the page's policy (require-trusted-types-for 'script')
 * every other way from a string to a script stays closed.
 */
export function trustWorker(): void {
	const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
	types?.createPolicy("default", { createScriptURL: ownScript });
}

function ownScript(url: string): string {
	if (new URL(url, location.href).origin === location.origin) return url;
	throw new TypeError(`not a script of this page: ${url}`);
}
