import { Buckets } from "../../store/buckets";
import type { StreamStore } from "../../store/stream";

/** SeriesView is a stream as one chart sees it: reduced to the chart's pixels. */
export class SeriesView {
	buckets: Buckets;

	constructor(readonly stream: StreamStore) {
		this.buckets = new Buckets(1, 1, 0);
	}

	/** refresh makes the buckets right for a window and a width in pixels. */
	refresh(start: number, end: number, pixels: number): void {
		const width = (end - start) / pixels;
		if (this.buckets.width !== width && !almost(this.buckets.width, width)) {
			this.buckets = new Buckets(width, pixels, this.stream.patience());
			this.stream.ring.takeTouched();
		}
		this.buckets.refresh(this.stream.ring, start, end);
	}
}

/** Two widths that differ only by the rounding of times are the same: the grid stays. */
function almost(a: number, b: number): boolean {
	return Math.abs(a - b) < 1e-6 * b;
}
