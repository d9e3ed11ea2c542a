import type { Buckets } from "../../store/buckets";
import type { Ring } from "../../store/ring";

/** Frame is where on the canvas a time and a value lie, in its own pixels. One per chart, written in place. */
export interface Frame {
	left: number;
	top: number;
	width: number;
	height: number;
	start: number;
	end: number;
	low: number;
	high: number;
	ratio: number;
}

/** laneMargin is the room above and below the line of an on/off stream in a lane of this height, in the canvas's pixels. */
export function laneMargin(height: number, ratio: number): number {
	return Math.min(height / 5, 8 * ratio);
}

function x(frame: Frame, time: number): number {
	return frame.left + ((time - frame.start) / (frame.end - frame.start)) * frame.width;
}

function y(frame: Frame, value: number): number {
	return frame.top + (1 - (value - frame.low) / (frame.high - frame.low)) * frame.height;
}

/**
 * traceLine adds a stream's line to the canvas's path: per bucket its low and
 * its high, the nearer one first. It enters from the sample before the window
 * and leaves towards the one after it. A sample with a break on both sides
 * becomes a dot: round line ends make one out of a line of no length. It
 * returns the number of buckets drawn.
 */
export function traceLine(ctx: CanvasRenderingContext2D, ring: Ring, buckets: Buckets, frame: Frame): number {
	const first = buckets.index(frame.start);
	const last = buckets.index(frame.end);
	let points = 0;
	const entry = ring.firstAt(first * buckets.width) - 1;
	let pen = entry >= 0;
	let before = 0;
	if (pen) {
		before = y(frame, ring.value(entry));
		ctx.moveTo(x(frame, ring.time(entry)), before);
	}
	for (let k = first; k <= last; k++) {
		const slot = buckets.slot(k);
		if (buckets.key[slot] !== k) continue;
		const at = x(frame, buckets.firstTime[slot] as number);
		const low = y(frame, buckets.low[slot] as number);
		const high = y(frame, buckets.high[slot] as number);
		const lowFirst = Math.abs(before - low) < Math.abs(before - high);
		if (!pen || buckets.broken[slot] === 1) ctx.moveTo(at, lowFirst ? low : high);
		ctx.lineTo(at, lowFirst ? low : high);
		if (low !== high) ctx.lineTo(at, lowFirst ? high : low);
		pen = true;
		points++;
		before = lowFirst ? high : low;
	}
	const exit = ring.firstAt((last + 1) * buckets.width);
	if (pen && exit < ring.count && !buckets.breaks(ring, exit)) {
		ctx.lineTo(x(frame, ring.time(exit)), y(frame, ring.value(exit)));
	}
	return points;
}

/** traceSteps adds an on/off stream: a value holds until the next one, the newest until heldUntil. */
export function traceSteps(
	ctx: CanvasRenderingContext2D,
	ring: Ring,
	buckets: Buckets,
	frame: Frame,
	heldUntil: number,
): void {
	const first = buckets.index(frame.start);
	const last = buckets.index(frame.end);
	const entry = ring.firstAt(first * buckets.width) - 1;
	let level = entry >= 0 ? ring.value(entry) : Number.NaN;
	if (entry >= 0) ctx.moveTo(frame.left, y(frame, level));
	for (let k = first; k <= last; k++) {
		const slot = buckets.slot(k);
		if (buckets.key[slot] !== k) continue;
		const at = x(frame, buckets.firstTime[slot] as number);
		const opening = buckets.first[slot] as number;
		if (Number.isNaN(level) || buckets.broken[slot] === 1) ctx.moveTo(at, y(frame, opening));
		else ctx.lineTo(at, y(frame, level));
		ctx.lineTo(at, y(frame, opening));
		level = buckets.last[slot] as number;
		if (buckets.low[slot] === buckets.high[slot]) continue;
		ctx.lineTo(at, y(frame, 1 - opening)); // it went there and maybe back, within one pixel
		ctx.lineTo(at, y(frame, level));
	}
	if (!Number.isNaN(level)) ctx.lineTo(x(frame, Math.min(heldUntil, frame.end)), y(frame, level));
}

/** paintGaps marks where samples are missing with a hatched band. */
export function paintGaps(ctx: CanvasRenderingContext2D, buckets: Buckets, frame: Frame): void {
	const last = buckets.index(frame.end);
	for (let k = buckets.index(frame.start); k <= last; k++) {
		const slot = buckets.slot(k);
		if (buckets.key[slot] !== k || buckets.broken[slot] !== 1) continue;
		hatch(ctx, frame, buckets.gapStart[slot] as number, buckets.firstTime[slot] as number);
	}
}

/** Distance of the hatching's lines, in CSS pixels. */
const HATCH = 8;

/** hatch fills the time between two others with slanting lines. */
export function hatch(ctx: CanvasRenderingContext2D, frame: Frame, from: number, to: number): void {
	const left = Math.max(frame.left, x(frame, from));
	const right = Math.min(frame.left + frame.width, x(frame, to));
	if (right - left < 1) return;
	ctx.save();
	ctx.beginPath();
	ctx.rect(left, frame.top, right - left, frame.height);
	ctx.clip();
	ctx.beginPath();
	const step = HATCH * frame.ratio;
	// The lines move with the data and lie on one grid of time for all bands: where two overlap their lines do, too.
	const anchor = x(frame, 0) % step;
	const first = anchor + Math.ceil((left - frame.height - anchor) / step) * step;
	for (let at = first; at < right; at += step) {
		ctx.moveTo(at, frame.top + frame.height);
		ctx.lineTo(at + frame.height, frame.top);
	}
	ctx.stroke();
	ctx.restore();
}
