import type { Device } from "../../port";
import type { Card } from "../../store/layout";

/** Hit is one thing that a search found. */
export interface Hit {
	kind: "device" | "card";
	/** The device's id, or the card's key. */
	id: string;
	title: string;
	note: string;
}

/** More than these do not help a person choose. */
const MOST = 12;

/** search finds devices by name and id, and the open device's cards by title and streams. All words must fit. */
export function search(text: string, devices: readonly Device[], cards: readonly Card[]): Hit[] {
	const words = text.toLowerCase().split(/\s+/).filter(Boolean);
	if (words.length === 0) return [];
	const fits = (haystack: string) => words.every((word) => haystack.toLowerCase().includes(word));
	const found: Hit[] = [];
	for (const { id, name, state } of devices) {
		if (fits(`${name} ${id}`)) found.push({ kind: "device", id, title: name, note: `Device · ${state}` });
	}
	for (const card of cards) {
		const names = card.series.map(({ stream, label }) => `${label} ${stream.name}`).join(" ");
		if (fits(`${card.title} ${names}`)) found.push({ kind: "card", id: card.key, title: card.title, note: note(card) });
	}
	return found.slice(0, MOST);
}

function note(card: Card): string {
	const [first] = card.series;
	return card.series.length === 1 && first ? first.stream.name : `${card.series.length} streams`;
}
