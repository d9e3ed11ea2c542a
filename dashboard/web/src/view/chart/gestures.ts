import type { Timeline } from "./timeline";

/** A drag shorter than this is a click, in pixels. */
const CLICK_PX = 5;
const WHEEL_ZOOM = 1.0015;

export interface GestureOptions {
	timeline: Timeline;
	/** Area of the plot inside its axes. */
	area: HTMLElement;
	/** Shows the stretch that a drag will zoom to, in pixels; null hides it. */
	select(range: { left: number; width: number } | null): void;
}

/**
 * attachGestures lets a pointer move the time axis: drag zooms, shift-drag and
 * a finger pan, wheel and pinch zoom, a click sets the second cursor, a
 * double-click puts it away and goes live. Vertical touch
 * movements are left to the page's scrolling (touch-action: pan-y).
 */
export function attachGestures(options: GestureOptions): () => void {
	const gestures = new Gestures(options);
	const { area } = options;
	const listen: [string, (event: never) => void][] = [
		["pointerdown", gestures.down],
		["pointermove", gestures.move],
		["pointerup", gestures.up],
		["pointercancel", gestures.cancel],
		["pointerleave", gestures.leave],
		["dblclick", gestures.double],
	];
	for (const [type, handler] of listen) area.addEventListener(type, handler as EventListener);
	area.addEventListener("wheel", gestures.wheel, { passive: false });
	return () => {
		for (const [type, handler] of listen) area.removeEventListener(type, handler as EventListener);
		area.removeEventListener("wheel", gestures.wheel);
	};
}

class Gestures {
	private readonly fingers = new Map<number, number>(); // pointer → x in the area
	private pressed = Number.NaN; // x where the pointer went down, while it has not moved from there
	private begin = Number.NaN; // x where a zooming drag began
	private panning = false;
	private left = 0; // the area's rectangle, read when a gesture begins and at each hover
	private width = 1;

	constructor(private readonly options: GestureOptions) {}

	readonly down = (event: PointerEvent): void => {
		if (event.button !== 0) return;
		const x = this.x(event);
		this.fingers.set(event.pointerId, x);
		this.pressed = this.fingers.size === 1 ? x : Number.NaN;
		this.panning = event.shiftKey || event.pointerType === "touch";
		this.begin = this.panning ? Number.NaN : x;
		this.options.area.setPointerCapture(event.pointerId);
	};

	readonly move = (event: PointerEvent): void => {
		const x = this.x(event);
		const { timeline } = this.options;
		timeline.cursor = this.time(x);
		const before = this.fingers.get(event.pointerId);
		if (before === undefined) return;
		if (Math.abs(x - this.pressed) > CLICK_PX) this.pressed = Number.NaN;
		if (this.fingers.size === 2) this.pinch(event.pointerId, before, x);
		else if (this.panning) this.pan(before, x);
		else this.options.select({ left: Math.min(this.begin, x), width: Math.abs(x - this.begin) });
		this.fingers.set(event.pointerId, x);
	};

	readonly up = (event: PointerEvent): void => {
		const x = this.x(event);
		const { timeline } = this.options;
		if (Math.abs(x - this.begin) > CLICK_PX) timeline.zoomTo(this.time(this.begin), this.time(x));
		else if (!Number.isNaN(this.pressed)) timeline.mark = this.time(x);
		this.cancel(event);
	};

	readonly cancel = (event: PointerEvent): void => {
		this.fingers.delete(event.pointerId);
		this.begin = Number.NaN;
		this.options.select(null);
	};

	readonly leave = (): void => {
		if (this.fingers.size === 0) this.options.timeline.cursor = Number.NaN;
	};

	readonly double = (): void => {
		this.options.timeline.mark = Number.NaN;
		this.options.timeline.goLive();
	};

	/** A plain wheel scrolls the page; with Ctrl (as a touch pad's pinch sends it) or Shift it zooms, on a plot that has the focus always. */
	readonly wheel = (event: WheelEvent): void => {
		const focused = this.options.area.closest("[data-plot]") === document.activeElement;
		if (!event.ctrlKey && !event.shiftKey && !focused) return;
		event.preventDefault();
		const delta = (event.deltaY || event.deltaX) * (event.ctrlKey ? 6 : 1);
		this.options.timeline.zoomAt(this.time(this.x(event)), WHEEL_ZOOM ** delta);
	};

	private pinch(moved: number, before: number, x: number): void {
		const other = [...this.fingers].find(([pointer]) => pointer !== moved)?.[1] ?? x;
		const [old, now] = [Math.abs(before - other), Math.abs(x - other)];
		if (old > 0 && now > 0) this.options.timeline.zoomAt(this.time(other), old / now);
	}

	private pan(before: number, x: number): void {
		const { timeline } = this.options;
		if (x !== before) timeline.pan(((before - x) / this.width) * (timeline.end - timeline.start));
	}

	private x(event: MouseEvent): number {
		const box = this.options.area.getBoundingClientRect();
		this.left = box.left;
		this.width = Math.max(1, box.width);
		return Math.min(this.width, Math.max(0, event.clientX - this.left));
	}

	private time(x: number): number {
		const { start, end } = this.options.timeline;
		return start + ((end - start) * x) / this.width;
	}
}
