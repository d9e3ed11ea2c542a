// How the page got here, as the browser measured it: the only thing that a page
// can know of the way to its server before it has a link.

/** Journey is what is read of a PerformanceNavigationTiming, in ms. */
type Journey = Pick<PerformanceNavigationTiming, "connectStart" | "connectEnd" | "requestStart" | "responseStart">;

/**
 * connectTime is how long connecting to the server took for the page, TLS
 * included, in ms; 0: not known. A page that came over a connection that stood
 * already, as after a reload, saw one round trip at least.
 */
export function connectTime(entry: PerformanceEntry | undefined): number {
	if (entry === undefined || !("connectStart" in entry)) return 0;
	const { connectStart, connectEnd, requestStart, responseStart } = entry as unknown as Journey;
	const connected = connectEnd - connectStart;
	return Math.max(connected > 0 ? connected : responseStart - requestStart, 0);
}
