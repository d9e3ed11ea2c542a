// Inputs that are timed, for watch.mjs: keys and a thumb that move an axis again and again, and when the browser says that each
// of these was.

import { setTimeout as pause } from "node:timers/promises";

/**
 * Handed to addInitScript: it must not use anything from outside. Notes each event of keys and pointers before the page's own scripts
 * see it, and how much of the past the page's Worker has handed over by then.
 */
export function noteInputs() {
	let notes = [];
	let past = 0;
	const wall = (ms) => performance.timeOrigin + ms;
	const note = (event) => {
		const last = notes.at(-1);
		if (event.repeat || (last !== undefined && last.at === wall(event.timeStamp))) return; // a pointer's may come twice
		const what = event.code === undefined ? event.type : `${event.type} ${event.code}`;
		notes.push({ what, x: event.clientX, at: wall(event.timeStamp), seen: wall(performance.now()), past });
	};
	for (const type of ["keydown", "keyup", "pointerrawupdate", "pointermove"]) {
		window.addEventListener(type, note, { capture: true, passive: true });
	}

	const Native = window.Worker;
	window.Worker = class extends Native {
		constructor(...args) {
			super(...args);
			this.addEventListener("message", ({ data }) => {
				if (data?.type !== "samples") return;
				for (const part of data.parts) if (part.past) past += part.n;
			});
		}
	};

	window.inputs = {
		take() {
			const all = notes;
			notes = [];
			return all;
		},
		/** By how many ms the clock of events is behind the machine's: the median of looks at both when the latter ticks. */
		behind() {
			const looks = Array.from({ length: 15 }, () => {
				const before = Date.now();
				let now = before;
				while (now === before) now = Date.now();
				return now - wall(performance.now());
			});
			return looks.sort((a, b) => a - b)[7];
		},
	};
}

/** What the keys to the sides say of the axis that they move, one after the other: no two in a row say the same. */
const presses = [
	["down", "ArrowLeft", -1],
	["up", "ArrowLeft", 0],
	["down", "ArrowRight", 1],
	["up", "ArrowRight", 0],
];

/** The page's stick is at its end this far from its edge, in CSS pixels. */
const STICK_EDGE = 24;

/**
 * "presses 40 60": so many times a key to the side goes down or up, about every so many ms. "thumb 40 60": so many times the thumb
 * that is on the stick moves to another place across. What is said then: each input with its time in ms since 1970, when the page
 * was called with it, and where it sends the axis.
 */
export function inputVerbs(page, thumbs) {
	const each = async (count, every, once) => {
		await page.evaluate(() => window.inputs.take());
		for (let i = 0; i < count; i++) {
			await once(i);
			await pause(every * (0.5 + Math.random())); // not in step with frames and timers
		}
		const [behind, notes] = await page.evaluate(() => [window.inputs.behind(), window.inputs.take()]);
		return { behind, notes };
	};
	const told = ({ behind, notes }, value) => ({
		behind,
		inputs: notes.map((note) => ({ at: note.at + behind, seen: note.seen + behind, past: note.past, value: value(note) })),
	});
	return {
		presses: async ([count, every]) => {
			const made = await each(Number(count), Number(every), (i) => {
				const [how, key] = presses[i % presses.length];
				return page.keyboard[how](key);
			});
			return told(made, ({ what }) => presses.find(([how, key]) => what === `key${how} ${key}`)?.[2]);
		},
		thumb: async ([count, every]) => {
			let x = 0;
			const made = await each(Number(count), Number(every), () => {
				x += x > 0 ? -0.1 - 0.5 * Math.random() : 0.1 + 0.5 * Math.random();
				return thumbs.move(x, 0.3);
			});
			const { middle, radius } = thumbs;
			return told(made, (note) => (note.x - middle.x) / (radius - STICK_EDGE));
		},
	};
}
