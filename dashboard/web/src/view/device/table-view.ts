import type { Card } from "../../store/layout";
import type { StreamStore } from "../../store/stream";
import type { Drawable } from "../chart/loop";
import { NONE, quantity } from "../format/number";
import { preciseClock } from "../format/time";
import type { App } from "../state/app.svelte";
import { setText } from "./parts";
import { newestRows, type Row } from "./table";

/** Rows are written this far apart, in ms: a table is read, not watched. */
const EVERY_MS = 1_000;

/** TableView fills a card's table, whose cells Svelte has made, with the newest samples up to the end of the axis. */
export class TableView implements Drawable {
	visible = true;
	private readonly streams: StreamStore[];
	private readonly cells: HTMLElement[][];
	private written = Number.NEGATIVE_INFINITY;
	private version = -1;
	private readonly stop: () => void;

	constructor(
		private readonly app: App,
		private readonly card: Card,
		table: HTMLTableElement,
	) {
		const found = card.series.map(({ stream }) => app.store.streams.get(stream.id));
		this.streams = found.filter((stream) => stream !== undefined);
		this.cells = [...table.tBodies].flatMap((body) => [...body.rows].map((row) => [...row.cells]));
		this.stop = app.loop.add(this);
	}

	dispose(): void {
		this.stop();
	}

	draw(): void {}

	write(now: number): void {
		const { timeline } = this.app;
		if (timeline.version === this.version && now - this.written < EVERY_MS) return;
		this.version = timeline.version;
		this.written = now;
		const rows = newestRows(this.streams, timeline.live ? Number.POSITIVE_INFINITY : timeline.end);
		const size = Math.max(0, ...rows.flatMap(({ values }) => values.filter(Number.isFinite).map(Math.abs)));
		for (const [i, cells] of this.cells.entries()) this.writeRow(cells, rows[i], size);
	}

	private writeRow([time, ...values]: HTMLElement[], row: Row | undefined, size: number): void {
		const { clock } = this.app.store;
		if (time) setText(time, row === undefined ? NONE : preciseClock(clock.toPage(row.time), Date.now()));
		for (const [i, cell] of values.entries()) setText(cell, this.words(row?.values[i] ?? Number.NaN, i, size));
	}

	private words(value: number, i: number, size: number): string {
		if (Number.isNaN(value)) return NONE;
		if (this.card.kind === "steps") return value === 0 ? "off" : "on";
		const { text, unit } = quantity(value, this.card.unit, size, this.streams[i]?.whole ?? false);
		return unit === "" ? text : `${text} ${unit}`;
	}
}
