/** Stats count samples. */
export interface Stats {
	delivered: number;
	late: number; // of these: Live, after newer ones
	duplicates: number;
	expired: number; // Live: past their deadline
	limited: number; // Event: came early and there was no room to hold them; they come again
	missing: number; // Event: declared in gaps of known extent
	lost: number; // Live: never came, so far
}

/** newStats has counted nothing. */
export function newStats(): Stats {
	return { delivered: 0, late: 0, duplicates: 0, expired: 0, limited: 0, missing: 0, lost: 0 };
}
