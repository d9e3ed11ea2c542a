import type { Card } from "../../store/layout";
import type { StreamStore } from "../../store/stream";
import { MINUS, NONE } from "../format/number";
import { difference, preciseClock } from "../format/time";
import type { App } from "../state/app.svelte";
import { part, setText } from "./parts";

/** Words writes a value of a stream with its unit. */
export type Words = (value: number, stream: StreamStore) => string;

/**
 * Cursors draws the two cursors of a card: the crosshair, which follows the
 * pointer, and the mark that a click sets, with what lies between the two.
 */
export class Cursors {
	private readonly crosshair: HTMLElement;
	private readonly crosshairTime: HTMLElement;
	private readonly mark: HTMLElement;
	private readonly deltas: HTMLElement;
	private readonly values: HTMLElement[];

	constructor(
		private readonly app: App,
		private readonly card: Card,
		root: HTMLElement,
		private readonly over: HTMLElement,
	) {
		this.crosshair = part(root, "crosshair");
		this.crosshairTime = part(root, "time");
		this.mark = part(root, "mark");
		this.deltas = part(root, "deltas");
		this.values = [...root.querySelectorAll<HTMLElement>("[data-delta]")];
	}

	/** draw puts both where they belong; it returns the crosshair's time, NaN where it does not show. */
	draw(streams: readonly StreamStore[], words: Words): number {
		const { timeline } = this.app;
		const { cursor, mark } = timeline;
		this.place(this.mark, mark);
		if (!this.place(this.crosshair, cursor)) return Number.NaN;
		const share = (cursor - timeline.start) / (timeline.end - timeline.start);
		// The tag hangs on the line by the same share of its width: it never leaves the plot.
		this.crosshairTime.style.transform = `translateX(${-share * 100}%)`;
		setText(this.crosshairTime, this.label(cursor, mark));
		this.deltas.hidden = Number.isNaN(mark) || this.values.length === 0;
		this.deltas.classList.toggle("left", share > 0.5);
		if (!this.deltas.hidden) this.writeDeltas(streams, words);
		return cursor;
	}

	/** spoken is the difference in words for screen readers; "" without a mark. */
	spoken(): string {
		const { cursor, mark } = this.app.timeline;
		if (Number.isNaN(mark) || Number.isNaN(cursor)) return "";
		const values = this.card.series.map(({ label }, i) => `${label} ${this.values[i]?.textContent ?? NONE}`);
		return `. Since the mark, ${difference(cursor - mark)}: ${values.join(", ")}`;
	}

	private label(cursor: number, mark: number): string {
		const at = preciseClock(this.app.store.clock.toPage(cursor), Date.now());
		return Number.isNaN(mark) ? at : `${at} · Δ ${difference(cursor - mark)}`;
	}

	private writeDeltas(streams: readonly StreamStore[], words: Words): void {
		const { cursor, mark } = this.app.timeline;
		for (const [i, stream] of streams.entries()) {
			const delta = stream.valueAt(cursor) - stream.valueAt(mark);
			const box = this.values[i];
			if (box) setText(box, Number.isNaN(delta) ? NONE : (delta < 0 ? MINUS : "+") + words(Math.abs(delta), stream));
		}
	}

	/** place moves a line to a time; false: that is outside of the window. */
	private place(line: HTMLElement, time: number): boolean {
		const { start, end } = this.app.timeline;
		const inside = time >= start && time <= end;
		line.hidden = !inside;
		if (inside) {
			const share = (time - start) / (end - start);
			line.style.transform = `translateX(${Math.round(share * this.over.clientWidth)}px)`;
		}
		return inside;
	}
}
