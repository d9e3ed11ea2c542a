import uPlot from "uplot";
import type { Card } from "../../store/layout";
import type { StreamStore } from "../../store/stream";
import { axes } from "./axes";
import { type Frame, hatch, laneMargin, paintGaps, traceLine, traceSteps } from "./paint";
import { type Palette, seriesColour, seriesDash } from "./palette";
import { extend, type Range, settle } from "./range";
import { SeriesView } from "./series";
import type { Timeline } from "./timeline";

export interface PlotOptions {
	card: Card;
	streams: readonly StreamStore[];
	timeline: Timeline;
	palette: Palette;
	/** toPage turns the device's time into the reader's, for the axis's labels. */
	toPage(time: number): number;
	/** placed says how far from its host's edges the plot lies within its axes, in CSS pixels. */
	placed(left: number, top: number, right: number, bottom: number): void;
}

/** A dense line is one pixel thin: it covers an area anyhow, and thin lines are painted several times faster. */
const LINE_WIDTH = 1.6;
const DENSE_LINE_WIDTH = 1;
/** More points of a line than this per pixel make it dense. */
const DENSE = 0.6;

/**
 * Plot draws one card's streams on the common timeline. uPlot keeps canvas,
 * scales and axes; the lines are drawn here, straight from the buckets, so
 * that a frame allocates nothing that grows with the number of samples.
 */
export class Plot {
	readonly uplot: uPlot;
	private readonly series: SeriesView[];
	private readonly frame: Frame;
	private readonly data: Range = { low: 0, high: 0 };
	private readonly shown: Range = { low: 0, high: 0 };
	private version = -1;
	private placedHeight = Number.NaN;
	private now = 0;

	constructor(
		host: HTMLElement,
		private readonly options: PlotOptions,
	) {
		this.series = options.streams.map((stream) => new SeriesView(stream));
		this.frame = { left: 0, top: 0, width: 1, height: 1, start: 0, end: 1, low: 0, high: 1, ratio: 1 };
		this.uplot = new uPlot(this.config(host), [[0, 1]], host);
	}

	/** draw brings the canvas up to the timeline's state. Called from the animation frame only. */
	draw(now: number): void {
		const { timeline } = this.options;
		const { start, end } = timeline;
		const moved = this.version !== timeline.version;
		const width = Math.max(1, this.uplot.bbox.width / uPlot.pxRatio);
		for (const series of this.series) series.refresh(start, end, width);
		this.settleRange(timeline);
		this.frame.start = start;
		this.frame.end = end;
		this.now = now;
		this.uplot.batch(() => {
			this.uplot.setScale("x", { min: start, max: end });
			this.uplot.setScale("y", { min: this.shown.low, max: this.shown.high });
			// Held where it was, the axis has other labels all the same.
			if (moved) this.uplot.redraw(false, true);
		});
	}

	/** The largest size of a value in the window; 0 while there is none. */
	get size(): number {
		return this.data.low > this.data.high ? 0 : Math.max(Math.abs(this.data.low), Math.abs(this.data.high));
	}

	resize(width: number, height: number): void {
		if (width > 0 && (width !== this.uplot.width || height !== this.uplot.height))
			this.uplot.setSize({ width, height });
	}

	dispose(): void {
		this.uplot.destroy();
	}

	private settleRange(timeline: Timeline): void {
		const forced = this.version !== timeline.version;
		this.version = timeline.version;
		if (this.options.card.kind === "steps") {
			this.shown.low = 0;
			this.shown.high = this.series.length;
			return;
		}
		this.data.low = Number.POSITIVE_INFINITY;
		this.data.high = Number.NEGATIVE_INFINITY;
		for (const series of this.series) extend(this.data, series.buckets, timeline.start, timeline.end);
		if (this.data.low > this.data.high) this.extendByLatest();
		settle(this.shown, this.data, this.nominal("min"), this.nominal("max"), forced);
	}

	/** With nothing in the window, the axis is where the values that are told stand. */
	private extendByLatest(): void {
		for (const { latest } of this.options.streams) {
			if (Number.isNaN(latest.value)) continue;
			this.data.low = Math.min(this.data.low, latest.value);
			this.data.high = Math.max(this.data.high, latest.value);
		}
	}

	/** The nominal range of all streams of the card together; null when one of them has none. */
	private nominal(side: "min" | "max"): number | null {
		let outer: number | null = null;
		for (const { info } of this.options.streams) {
			const value = info.meta[side];
			if (value === null) return null;
			outer = outer === null ? value : Math[side](outer, value);
		}
		return outer;
	}

	private config(host: HTMLElement): uPlot.Options {
		return {
			width: Math.max(1, host.clientWidth),
			height: Math.max(1, host.clientHeight),
			padding: [8, 20, 0, 0],
			series: [{}],
			scales: { x: { time: false, auto: false }, y: { auto: false } },
			legend: { show: false },
			cursor: { show: false },
			axes: axes(this.options),
			hooks: { draw: [() => this.paint()], drawClear: [() => this.tellPlace()] },
		};
	}

	/** uPlot settles its sizes when it first draws, and anew after each resize. */
	private tellPlace(): void {
		const { left, top, width, height } = this.uplot.bbox;
		const { frame } = this;
		if (left === frame.left && width === frame.width && this.placedHeight === height) return;
		this.placedHeight = height;
		const ratio = uPlot.pxRatio;
		const right = this.uplot.width - (left + width) / ratio;
		const bottom = this.uplot.height - (top + height) / ratio;
		this.options.placed(left / ratio, top / ratio, right, bottom);
	}

	private paint(): void {
		const { ctx, bbox } = this.uplot;
		const { frame, shown } = this;
		frame.left = bbox.left;
		frame.top = bbox.top;
		frame.width = bbox.width;
		frame.height = bbox.height;
		frame.low = shown.low;
		frame.high = shown.high;
		frame.ratio = uPlot.pxRatio;
		ctx.save();
		ctx.beginPath();
		ctx.rect(bbox.left, bbox.top - frame.ratio, bbox.width, bbox.height + 2 * frame.ratio);
		ctx.clip();
		ctx.lineJoin = "bevel"; // round joins cost as much again
		ctx.lineCap = "round";
		this.paintBands(ctx);
		for (let i = 0; i < this.series.length; i++) this.paintSeries(ctx, i);
		ctx.restore();
	}

	/** Gaps are hatched in their stream's colour, the time since a stale stream's last value in amber. */
	private paintBands(ctx: CanvasRenderingContext2D): void {
		const { palette } = this.options;
		ctx.lineWidth = this.frame.ratio;
		ctx.globalAlpha = 0.3;
		for (const [i, series] of this.series.entries()) {
			ctx.strokeStyle = seriesColour(palette, i);
			paintGaps(ctx, series.buckets, this.frame);
		}
		const since = this.staleSince();
		ctx.strokeStyle = palette.warn;
		if (since !== null) hatch(ctx, this.frame, since, this.frame.end);
		ctx.globalAlpha = 1;
	}

	/** The newest value's time when all streams of the card are stale; null otherwise. */
	private staleSince(): number | null {
		let newest = Number.NEGATIVE_INFINITY;
		for (const { stream } of this.series) {
			if (!stream.isStale(this.now)) return null;
			newest = Math.max(newest, stream.latest.time);
		}
		return newest;
	}

	private paintSeries(ctx: CanvasRenderingContext2D, index: number): void {
		const series = this.series[index] as SeriesView;
		const { stream, buckets } = series;
		const stale = stream.isStale(this.now);
		ctx.beginPath();
		ctx.strokeStyle = seriesColour(this.options.palette, index);
		ctx.setLineDash(seriesDash(index).map((part) => part * this.frame.ratio));
		ctx.globalAlpha = stale ? 0.5 : 1;
		let points = 0;
		if (this.options.card.kind === "steps") {
			traceSteps(ctx, stream.ring, buckets, this.lane(index), stream.heldUntil(this.now));
		} else points = traceLine(ctx, stream.ring, buckets, this.frame);
		const dense = points > (this.frame.width / this.frame.ratio) * DENSE;
		ctx.lineWidth = (dense ? DENSE_LINE_WIDTH : LINE_WIDTH) * this.frame.ratio;
		ctx.stroke();
		ctx.globalAlpha = 1;
	}

	/** On/off streams lie in lanes one above another, the first on top. */
	private lane(index: number): Frame {
		const { frame } = this;
		const height = this.uplot.bbox.height / this.series.length;
		const margin = laneMargin(height, frame.ratio);
		frame.top = this.uplot.bbox.top + height * index + margin;
		frame.height = height - 2 * margin;
		frame.low = 0;
		frame.high = 1;
		return frame;
	}
}
