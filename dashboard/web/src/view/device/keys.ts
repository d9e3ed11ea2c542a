import type { Timeline } from "../chart/timeline";

/** Shares of the window that one key press moves the crosshair by. */
const STEP = 0.01;
const LARGE_STEP = 0.1;
/** Screen readers get the values once the crosshair rests. */
const SPEAK_AFTER_MS = 350;

/** attachKeys moves crosshair and time axis with the keyboard, on a chart that has the focus. */
export function attachKeys(host: HTMLElement, timeline: Timeline, speak: () => void): () => void {
	let resting: ReturnType<typeof setTimeout> | undefined;
	const listener = (event: KeyboardEvent) => {
		if (event.ctrlKey || event.metaKey || event.altKey || !handle(event, timeline)) return;
		event.preventDefault();
		clearTimeout(resting);
		resting = setTimeout(speak, SPEAK_AFTER_MS);
	};
	host.addEventListener("keydown", listener);
	return () => {
		clearTimeout(resting);
		host.removeEventListener("keydown", listener);
	};
}

function handle(event: KeyboardEvent, timeline: Timeline): boolean {
	const { start, end } = timeline;
	const at = Number.isNaN(timeline.cursor) ? end : timeline.cursor;
	const step = (end - start) * (event.shiftKey ? LARGE_STEP : STEP);
	switch (event.key) {
		case "ArrowLeft":
			timeline.cursor = Math.max(start, at - step);
			return true;
		case "ArrowRight":
			timeline.cursor = Math.min(end, at + step);
			return true;
		case "Home":
			timeline.cursor = start;
			return true;
		case "End":
			timeline.cursor = end;
			return true;
		case "+":
		case "=":
			timeline.zoomAt(at, 0.8);
			return true;
		case "-":
			timeline.zoomAt(at, 1.25);
			return true;
		case "Enter":
			timeline.mark = at;
			return true;
		case "Escape":
			timeline.clearCursors();
			return true;
		default:
			return false;
	}
}
