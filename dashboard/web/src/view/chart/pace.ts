/** A chart is drawn anew once the axis has moved by this share of a pixel. */
const PIXEL_SHARE = 0.25;
/** Live, a new sample waits no longer than this for the axis to move, in ms. */
const LIVE_MS = 200;
/** Held still, a chart is looked at this often, in ms: late samples may have come. */
const HELD_MS = 500;
/** Frames further apart than this, in ms, mean that drawing costs too much; nearer than the other, that there is room. */
const SLOW_FRAME_MS = 19;
const FAST_FRAME_MS = 17.4;
const LARGEST = 12;
/** One frame's weight in the mean. */
const WEIGHT = 0.05;

/**
 * Pace keeps the page at the screen's rate: where painting is slow, charts are
 * drawn less often rather than frames being lost. What painting costs cannot be
 * measured inside a frame, the browser does it later; the distance of the
 * frames tells.
 */
export class Pace {
	/** How many times longer than wanted a chart waits between two drawings. */
	stretch = 1;
	private before = Number.NaN;
	private mean = 16.7;

	/** frame notes that a frame begins at a time in ms. */
	frame(at: number): void {
		const distance = at - this.before;
		this.before = at;
		if (!(distance < 250)) return; // the first one, or the page was hidden
		this.mean += (distance - this.mean) * WEIGHT;
		if (this.mean > SLOW_FRAME_MS) this.stretch = Math.min(LARGEST, this.stretch * 1.02);
		else if (this.mean < FAST_FRAME_MS) this.stretch = Math.max(1, this.stretch * 0.995);
	}

	/** interval is how long a chart may wait, in ms, for a window of time and a width in pixels. */
	interval(windowMs: number, pixels: number, live: boolean): number {
		if (!live) return HELD_MS;
		return Math.min(LIVE_MS, (windowMs * PIXEL_SHARE) / Math.max(1, pixels)) * this.stretch;
	}
}
