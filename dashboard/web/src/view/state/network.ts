/** Looking again counts once in this time, in ms: browsers tell it by several events. */
const NUDGE_EVERY = 1_000;

/** What the DOM's types do not know yet, in the little that is used here. */
interface Connection extends EventTarget {
	readonly type?: string;
}

/**
 * watchNetwork calls when a new try is worth it: the network has changed (the
 * browser is online or offline, its connection is of another kind), or the page
 * is looked at again, before which a phone may have slept. The result ends it.
 */
export function watchNetwork(nudge: (changed: boolean) => void): () => void {
	const { connection } = navigator as { connection?: Connection };
	let last = Number.NEGATIVE_INFINITY;
	let type = connection?.type;
	const call = (changed: boolean) => {
		const now = performance.now();
		if (!changed && now - last < NUDGE_EVERY) return;
		last = now;
		nudge(changed);
	};
	const other = () => call(true);
	// It also tells of every new guess at the rate, which is none of our business.
	const kind = () => {
		if (connection?.type === type) return;
		type = connection?.type;
		other();
	};
	const shown = (event: Event) => {
		if (event instanceof PageTransitionEvent ? event.persisted : !document.hidden) call(false);
	};
	const listen: [EventTarget | undefined, string, (event: Event) => void][] = [
		[window, "online", other],
		[window, "offline", other],
		[window, "pageshow", shown],
		[document, "visibilitychange", shown],
		[connection, "change", kind],
	];
	for (const [target, name, handler] of listen) target?.addEventListener(name, handler);
	return () => {
		for (const [target, name, handler] of listen) target?.removeEventListener(name, handler);
	};
}
