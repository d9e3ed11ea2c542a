import type { Card } from "../../store/layout";
import type { Line } from "../../store/log";
import type { StreamStore } from "../../store/stream";
import type { Drawable } from "../chart/loop";
import { preciseClock } from "../format/time";
import type { App } from "../state/app.svelte";
import { part, setText } from "./parts";

/** Entries shown; the store keeps more. A longer list costs the page its pace. */
const SHOWN = 200;
/** As near to the end as this, in pixels, the list follows new entries. */
const FOLLOW_PX = 24;

interface Entry {
	line: Line;
	label: string;
}

/** LogView shows the texts of a card as a list. Everything that a device says becomes a text node. */
export class LogView implements Drawable {
	visible = true;
	private readonly streams: { store: StreamStore; label: string }[] = [];
	private readonly list: HTMLElement;
	private readonly note: HTMLElement;
	private readonly rows = new Map<Line, HTMLElement>();
	private readonly stop: () => void;
	private drawn = "";

	constructor(
		private readonly app: App,
		card: Card,
		root: HTMLElement,
	) {
		for (const { stream, label } of card.series) {
			const store = app.store.streams.get(stream.id);
			if (store) this.streams.push({ store, label: card.series.length > 1 ? label : "" });
		}
		this.list = part(root, "lines");
		this.note = part(root, "note");
		this.stop = app.loop.add(this);
	}

	dispose(): void {
		this.stop();
	}

	draw(): void {}

	/** write brings the list up to the store's state, or to the end of a paused axis. */
	write(): void {
		const { timeline } = this.app;
		const versions = this.streams.map(({ store }) => store.log.version).join();
		const state = timeline.live ? versions : `${versions} ${timeline.version}`;
		if (state === this.drawn) return;
		this.drawn = state;
		this.sync(this.entries(timeline.live ? Number.POSITIVE_INFINITY : timeline.end));
	}

	private entries(until: number): Entry[] {
		const all = this.streams.flatMap(({ store, label }) =>
			store.log.lines.slice(-SHOWN).map((line) => ({ line, label })),
		);
		if (this.streams.length > 1) all.sort((a, b) => a.line.time - b.line.time);
		return all.filter(({ line }) => !(line.time > until)).slice(-SHOWN);
	}

	private sync(entries: Entry[]): void {
		const { list } = this;
		const follow = list.scrollHeight - list.scrollTop - list.clientHeight < FOLLOW_PX;
		const wanted = new Set(entries.map(({ line }) => line));
		for (const [line, row] of this.rows) {
			if (wanted.has(line)) continue;
			row.remove();
			this.rows.delete(line);
		}
		for (const [i, entry] of entries.entries()) {
			const row = this.row(entry);
			if (list.children[i] !== row) list.insertBefore(row, list.children[i] ?? null);
		}
		if (follow) list.scrollTop = list.scrollHeight;
		setText(this.note, entries.length === 0 ? "Nothing yet" : `${entries.length} newest`);
	}

	private row({ line, label }: Entry): HTMLElement {
		const known = this.rows.get(line);
		if (known) return known;
		const row = document.createElement("li");
		const time = document.createElement("time");
		time.textContent = preciseClock(this.app.store.clock.toPage(line.time), Date.now());
		const text = document.createElement("span");
		text.textContent = line.missing === 0 ? (label === "" ? line.text : `${label}: ${line.text}`) : missing(line);
		if (line.missing !== 0) row.className = "gap";
		row.append(time, text);
		this.rows.set(line, row);
		return row;
	}
}

/** What the reasons of a gap mean to a person. */
const REASONS: Record<string, string> = {
	ring: "overwritten before they could be sent",
	restart: "the device restarted",
	"unknown-position": "the place to resume from is gone",
	refused: "they could not be read",
	spool: "the device's disk did not take them, or no longer has them",
};

function missing(line: Line): string {
	const entries =
		line.missing < 0
			? "Entries are missing"
			: line.missing === 1
				? "1 entry is missing"
				: `${line.missing} entries are missing`;
	return `${entries}: ${REASONS[line.text] ?? line.text}`;
}
