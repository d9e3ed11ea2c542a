import type uPlot from "uplot";
import { byteUnit, tick } from "../format/number";
import { clock, preciseClock } from "../format/time";
import { laneMargin } from "./paint";
import type { PlotOptions } from "./plot";
import { clockTicks, liveLabel, liveParts, liveTicks, valueTicks } from "./ticks";

const VALUE_AXIS_PX = 48;
/** Labels of so many letters have room in it; those that are longer make it wider. */
const VALUE_AXIS_LETTERS = 5;
const LETTER_PX = 7;
const TIME_AXIS_PX = 24;
/** Room that a label of the time axis wants, in CSS pixels. */
const TIME_LABEL_PX = 96;
const VALUE_LABEL_PX = 32;

/** axes are the two axes of a plot: round values at the left, time below. */
export function axes(options: PlotOptions): uPlot.Axis[] {
	return [timeAxis(options), options.card.kind === "steps" ? levelAxis(options) : valueAxis(options)];
}

function common({ palette }: PlotOptions): uPlot.Axis {
	return {
		stroke: palette.text,
		font: `11px ${palette.font}`,
		ticks: { show: false },
		grid: { stroke: palette.grid, width: 1 },
		gap: 8,
	};
}

/** Live, the labels say how long ago and stand still; detached, they are times of day. */
function timeAxis(options: PlotOptions): uPlot.Axis {
	const { timeline } = options;
	return {
		...common(options),
		scale: "x",
		size: TIME_AXIS_PX,
		grid: { show: false },
		splits: (u) => timeSplits(options, u.width),
		values: (_u, splits) => {
			if (timeline.live) return splits.map((at, i) => liveLabel(timeline.end - at, timeline.span, i === 0));
			const step = (splits[1] ?? 0) - (splits[0] ?? 0);
			return splits.map((at) => timeLabel(options.toPage(at), step));
		},
	};
}

function timeSplits({ timeline, toPage }: PlotOptions, width: number): number[] {
	if (timeline.live) return liveTicks(timeline.start, timeline.end, liveParts(timeline.span, width < 360));
	const shift = toPage(0);
	return clockTicks(timeline.start + shift, timeline.end + shift, width / TIME_LABEL_PX).at.map((t) => t - shift);
}

function timeLabel(time: number, step: number): string {
	return step < 1_000 ? preciseClock(time, time) : clock(time, time);
}

function valueAxis(options: PlotOptions): uPlot.Axis {
	let step = 1;
	const binary = byteUnit(options.card.unit)?.base === 1024;
	return {
		...common(options),
		scale: "y",
		size: (_u, labels) => valueAxisWidth(labels),
		splits: (u, _axis, low, high) => {
			const found = valueTicks(low, high, u.bbox.height / devicePixelRatio / VALUE_LABEL_PX, binary);
			step = found.step;
			return found.at;
		},
		values: (_u, splits) => splits.map((value) => tick(value, step, options.card.unit)),
	};
}

/** As wide as its longest label, in steps: nothing moves when a digit comes or goes. */
function valueAxisWidth(labels: readonly string[] | null): number {
	const longest = Math.max(0, ...(labels ?? []).map((label) => label.length));
	return Math.max(VALUE_AXIS_PX, VALUE_AXIS_PX + (longest - VALUE_AXIS_LETTERS) * LETTER_PX);
}

/** A lone on/off stream has levels, several have a lane each, with its name. */
function levelAxis(options: PlotOptions): uPlot.Axis {
	const labels = options.card.series.map(({ label }) => label);
	const lone = labels.length === 1;
	const margin = (u: uPlot) => laneMargin(u.bbox.height, devicePixelRatio) / u.bbox.height;
	return {
		...common(options),
		scale: "y",
		size: lone ? VALUE_AXIS_PX : LANE_AXIS_PX,
		grid: { show: false },
		splits: (u) => (lone ? [margin(u), 1 - margin(u)] : labels.map((_, i) => labels.length - i - 0.5)),
		values: () => (lone ? ["off", "on"] : labels.map(shortened)),
	};
}

const LANE_AXIS_PX = 96;
const LANE_LABEL = 13;

function shortened(label: string): string {
	return label.length > LANE_LABEL ? `${label.slice(0, LANE_LABEL - 1)}…` : label;
}
