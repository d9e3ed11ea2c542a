/** The windows that can be chosen, in ms. */
export const WINDOWS = [60_000, 300_000, 1_800_000] as const;
const SHORTEST_MS = 20;
const LONGEST_MS = 1_800_000;

/**
 * Timeline is the one time axis of all charts, in ms on the device's clock.
 * Live, its end moves with the clock. Detached (paused, zoomed or panned) it
 * stands still, while samples go on being collected.
 */
export class Timeline {
	start = 0;
	end = 0;
	/** The time under the crosshair of all charts; NaN: there is none. */
	cursor = Number.NaN;
	/** A second cursor, set by a click, from which differences are told; NaN: there is none. */
	mark = Number.NaN;
	/** The window while live. */
	span: number = WINDOWS[0];
	/** Grows with each change that is not the clock's. */
	version = 0;
	private now = 0;
	private held = false;

	/** onChange is called when the axis detaches, goes live or gets another window. */
	constructor(private readonly onChange: () => void = () => undefined) {}

	get live(): boolean {
		return !this.held;
	}

	/** behind is how far the end of the axis is behind now, in ms. */
	get behind(): number {
		return this.held ? Math.max(0, this.now - this.end) : 0;
	}

	/** tick moves the axis to now. */
	tick(now: number): void {
		this.now = now;
		if (this.held) return;
		this.end = now;
		this.start = now - this.span;
	}

	pause(): void {
		this.hold();
		this.changed();
	}

	goLive(): void {
		this.held = false;
		this.tick(this.now);
		this.changed();
	}

	/** clockSet: the device's clock was set by ms, and all samples have been moved as far: the axis shows the same of them. */
	clockSet(ms: number): void {
		this.start += ms;
		this.end += ms;
		this.now += ms;
		this.cursor += ms;
		this.mark += ms;
		this.changed();
	}

	/** clearCursors puts both cursors away. */
	clearCursors(): void {
		this.cursor = this.mark = Number.NaN;
	}

	/** setSpan chooses the window; the axis is live afterwards. */
	setSpan(span: number): void {
		this.span = span;
		this.goLive();
	}

	/** zoomTo shows the time between two others, in either order. */
	zoomTo(a: number, b: number): void {
		this.hold();
		this.set(Math.min(a, b), Math.abs(b - a));
	}

	/** zoomAt scales the axis around a time: a factor below 1 shows less. */
	zoomAt(time: number, factor: number): void {
		this.hold();
		const span = clamp((this.end - this.start) * factor, SHORTEST_MS, LONGEST_MS);
		const share = (time - this.start) / (this.end - this.start);
		this.set(time - span * share, span);
	}

	pan(ms: number): void {
		this.hold();
		this.set(this.start + ms, this.end - this.start);
	}

	private hold(): void {
		this.held = true;
	}

	/** The axis ends no later than now: there is nothing to see in the future. */
	private set(start: number, wanted: number): void {
		const span = clamp(wanted, SHORTEST_MS, LONGEST_MS);
		this.start = Math.min(start, this.now - span);
		this.end = this.start + span;
		this.changed();
	}

	private changed(): void {
		this.version++;
		this.onChange();
	}
}

function clamp(value: number, low: number, high: number): number {
	return Math.min(high, Math.max(low, value));
}
