import type { Card } from "../../store/layout";
import type { StreamStore } from "../../store/stream";
import { attachGestures } from "../chart/gestures";
import type { Drawable } from "../chart/loop";
import type { Pace } from "../chart/pace";
import { readPalette } from "../chart/palette";
import { Plot } from "../chart/plot";
import { byteUnit, NONE, type Quantity, quantity } from "../format/number";
import { preciseClock } from "../format/time";
import type { App } from "../state/app.svelte";
import { Cursors } from "./cursors";
import { attachKeys } from "./keys";
import { note } from "./note";
import { part, setText } from "./parts";

/**
 * CardView fills a chart card that Svelte has made: it draws the plot and
 * writes values, straight into the elements, when the loop says so. Nothing of
 * it passes through the framework.
 */
export class CardView implements Drawable {
	visible = false;
	/** It came into view: its values are written with its first picture, not with the next turn of the text. */
	private appeared = false;
	private plot: Plot | null = null;
	private readonly streams: StreamStore[];
	private readonly values: HTMLElement[];
	private readonly unit: HTMLElement | null;
	private readonly noteBox: HTMLElement;
	private readonly over: HTMLElement;
	private readonly cursors: Cursors;
	private readonly cleanup: (() => void)[] = [];
	private cursorShown = false;
	private drawnAt = Number.NEGATIVE_INFINITY;
	private drawnVersion = -1;
	/** Of the plot's place, in CSS pixels: to ask for it in each frame would make the browser lay the page out in between. */
	private width = 0;

	constructor(
		private readonly app: App,
		private readonly card: Card,
		private readonly root: HTMLElement,
		private readonly host: HTMLElement,
	) {
		const found = card.series.map(({ stream }) => app.store.streams.get(stream.id));
		this.streams = found.filter((stream) => stream !== undefined);
		this.values = [...root.querySelectorAll<HTMLElement>("[data-value]")];
		this.unit = root.querySelector("[data-unit]");
		this.noteBox = part(root, "note");
		this.over = part(root, "over");
		this.cursors = new Cursors(app, card, root, this.over);
		this.cleanup.push(app.loop.add(this), this.watchVisibility(), this.watchSize(), this.attachInput());
	}

	dispose(): void {
		for (const undo of this.cleanup) undo();
		this.plot?.dispose();
	}

	/** recolour takes up another theme. */
	recolour(): void {
		this.plot?.dispose();
		this.plot = null;
		this.drawnVersion = -1;
	}

	draw(now: number, at: number, pace: Pace): void {
		this.plot ??= this.makePlot();
		if (this.isDue(at, pace)) this.plot.draw(now);
		if (this.appeared) this.write(now);
		this.appeared = false;
		const { cursor, mark } = this.app.timeline;
		const wanted = !Number.isNaN(cursor) || !Number.isNaN(mark);
		if (wanted || this.cursorShown) this.drawCursors();
		this.cursorShown = wanted;
	}

	write(now: number): void {
		if (!this.root.classList.contains("past")) this.writeValues(Number.NaN);
		const state = note(this.streams, now, this.app.store.clock);
		this.root.classList.toggle("stale", state.kind === "stale");
		this.root.classList.toggle("kept", state.kind === "kept");
		this.noteBox.classList.toggle("warn", state.kind === "stale");
		this.noteBox.hidden = state.text === "";
		setText(this.noteBox, state.text);
	}

	/** isDue tells whether there is something new to see: the axis moved enough, or somebody moved it. */
	private isDue(at: number, pace: Pace): boolean {
		const { timeline } = this.app;
		const interval = pace.interval(timeline.end - timeline.start, this.width, timeline.live);
		if (timeline.version === this.drawnVersion && at - this.drawnAt < interval) return false;
		this.drawnVersion = timeline.version;
		this.drawnAt = at;
		return true;
	}

	private makePlot(): Plot {
		const { app, card, streams, host } = this;
		return new Plot(host, {
			card,
			streams,
			timeline: app.timeline,
			palette: readPalette(host),
			toPage: (time) => app.store.clock.toPage(time),
			placed: (left, top, right, bottom) => this.place(left, top, right, bottom),
		});
	}

	/** The area that takes the pointer lies exactly over the plot inside its axes, and shrinks with the card where nothing is drawn. */
	private place(left: number, top: number, right: number, bottom: number): void {
		this.over.style.inset = `${top}px ${right}px ${bottom}px ${left}px`;
	}

	private drawCursors(): void {
		const at = this.cursors.draw(this.streams, (value, { whole }) => {
			const { text, unit } = this.quantity(value, whole);
			return unit === "" ? text : `${text} ${unit}`;
		});
		this.root.classList.toggle("past", !Number.isNaN(at));
		this.writeValues(at);
	}

	/** writeValues shows the values at a time, or the current ones at NaN. */
	private writeValues(time: number): void {
		for (const [i, stream] of this.streams.entries()) {
			const value = Number.isNaN(time) ? stream.latest.value : stream.valueAt(time);
			const box = this.values[i];
			if (box) this.writeValue(box, value, stream.whole);
		}
	}

	private writeValue(box: HTMLElement, value: number, whole: boolean): void {
		setText(box, this.words(value, whole));
		if (this.unit) setText(this.unit, this.quantity(value, whole).unit);
	}

	/** words writes a value without its unit, where that stands elsewhere. */
	private words(value: number, whole: boolean): string {
		if (this.card.kind === "steps") return Number.isNaN(value) ? NONE : value === 0 ? "off" : "on";
		const { text, unit } = this.quantity(value, whole);
		return this.unit === null && byteUnit(this.card.unit) !== null ? `${text} ${unit}` : text;
	}

	private quantity(value: number, whole: boolean): Quantity {
		return quantity(value, this.card.unit, this.plot?.size ?? 0, whole);
	}

	private watchVisibility(): () => void {
		const observer = new IntersectionObserver(
			([entry]) => {
				this.visible = entry?.isIntersecting ?? false;
				this.appeared = this.visible;
			},
			{ rootMargin: "120px" },
		);
		observer.observe(this.root);
		return () => observer.disconnect();
	}

	private watchSize(): () => void {
		const observer = new ResizeObserver(() => {
			this.width = this.host.clientWidth;
			this.plot?.resize(this.width, this.host.clientHeight);
		});
		observer.observe(this.host);
		return () => observer.disconnect();
	}

	private attachInput(): () => void {
		const selection = part(this.root, "selection");
		const { timeline } = this.app;
		const gestures = attachGestures({
			timeline,
			area: this.over,
			select: (range) => {
				selection.hidden = range === null;
				if (range) Object.assign(selection.style, { left: `${range.left}px`, width: `${range.width}px` });
			},
		});
		const keys = attachKeys(this.host, timeline, () => this.speak());
		return () => {
			gestures();
			keys();
		};
	}

	/** speak says the values under the crosshair to screen readers. */
	private speak(): void {
		const { cursor } = this.app.timeline;
		if (Number.isNaN(cursor)) return;
		const values = this.card.series.map(({ label }, i) => `${label} ${this.values[i]?.textContent ?? NONE}`);
		const time = preciseClock(this.app.store.clock.toPage(cursor), Date.now());
		this.app.announcement = `${time}: ${values.join(", ")} ${this.card.unit}${this.cursors.spoken()}`;
	}
}
