import type { Retry } from "../wire";

// When a link that was refused or cut is tried again (section 6.6), in ms.
const NOW_MAX = 1_000;
const NOW_ATTEMPTS = 2; // so many failures are retried at once, for a server that restarts
const BACKOFF_FIRST = 250;
const BACKOFF_MAX = 10_000; // so that all are back within 15 s of a server's return
const SLOW = 30_000;

/**
 * retryDelay is how long to wait, in ms, after a number of failures in a row
 * (1: the first); null: not until the configuration changes. With jitter, so
 * that a server that comes back is not met by all its viewers at once.
 */
export function retryDelay(retry: Retry, failures: number, random: () => number): number | null {
	if (retry === "never") return null;
	if (retry === "slow") return SLOW;
	if (retry === "now" && failures <= NOW_ATTEMPTS) return random() * NOW_MAX;
	const limit = Math.min(BACKOFF_MAX, BACKOFF_FIRST * 2 ** Math.min(failures - 1, 10));
	return limit * (0.1 + 0.9 * random());
}
