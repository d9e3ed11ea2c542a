import { isLinkRung, LINK_RUNGS } from "../peer/carrier/link-carrier";
import { isFailureName } from "../peer/failures";
import type { Carried } from "../port";

// Which rung carried the link, per network, so that the next visit begins with
// it (section 6.8). The browser's storage is per origin, and so per server. It is
// the page that remembers: a Worker has no localStorage.

const KEY = "telepath.carried";

/** remember stores what a visit found out on this network; null: there is nothing to know. */
export function remember(carried: Carried | null): void {
	try {
		if (carried === null) localStorage.removeItem(key());
		else localStorage.setItem(key(), JSON.stringify(carried));
	} catch {
		// A private window may refuse: then each visit finds out anew.
	}
}

/** recall is what an earlier visit found out, however long ago; null: nothing. */
export function recall(): Carried | null {
	try {
		return carriedOf(JSON.parse(localStorage.getItem(key()) ?? "null"));
	} catch {
		return null;
	}
}

/** carriedOf reads what was stored, perhaps by another version of this page. */
export function carriedOf(value: unknown): Carried | null {
	if (typeof value !== "object" || value === null) return null;
	const { rung, since, failures } = value as Record<string, unknown>;
	if (typeof rung !== "string" || !isLinkRung(rung) || typeof since !== "number") return null;
	const carried: Carried = { rung, since, failures: {} };
	for (const other of LINK_RUNGS) {
		const name = (failures as Record<string, unknown> | undefined)?.[other];
		if (typeof name === "string" && isFailureName(name)) carried.failures[other] = name;
	}
	return carried;
}

/** key names the network as far as the browser tells: its type, where it does. */
function key(): string {
	const { connection } = navigator as { connection?: { type?: string } };
	return `${KEY}.${connection?.type ?? "unknown"}`;
}
