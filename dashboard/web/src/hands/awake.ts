/** What of the browser's Screen Wake Lock API is used. */
export interface Screen {
	request(type: "screen"): Promise<{ release(): Promise<void> }>;
}

/**
 * Awake keeps the screen on while a hand is there: with a gamepad nobody touches
 * it, and a phone that locks would hide the page, which ends the drive. Where
 * the browser does not have this, or refuses, nothing is different.
 */
export class Awake {
	private wanted = false;
	private lock: Promise<{ release(): Promise<void> } | null> | null = null;

	constructor(private readonly screen: Screen | undefined) {}

	/** set says whether a hand is there. */
	set(wanted: boolean): void {
		if (wanted === this.wanted || this.screen === undefined) return;
		this.wanted = wanted;
		if (wanted) {
			this.lock = this.screen.request("screen").catch(() => null);
			return;
		}
		// One that is granted after the hand has gone is given back as well.
		void this.lock?.then((lock) => lock?.release()).catch(() => undefined);
		this.lock = null;
	}
}
