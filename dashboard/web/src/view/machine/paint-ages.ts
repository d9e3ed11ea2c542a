import type { Ages } from "./ages";
import type { Colours } from "./sheet";

/** How much of the past is shown, in ms. */
const SPAN = 5_000;
/** The scale's top, in ms, where nothing is beyond it. */
const TOP = 300;
const LEFT = 52; // px, of the labels

/** paintAges draws a point for each control message: when it was sent, and how old what it answers was when it acted. */
export function paintAges(
	c: CanvasRenderingContext2D,
	width: number,
	height: number,
	ages: Ages,
	now: number,
	colours: Colours,
): void {
	let top = TOP;
	ages.since(now - SPAN, (_, age) => {
		if (age > top) top = age;
	});
	const y = (age: number) => height - 4 - (age / top) * (height - 14);
	c.font = `11px ${colours.font}`;
	c.textAlign = "right";
	c.textBaseline = "middle";
	c.strokeStyle = colours.line;
	c.fillStyle = colours.faint;
	c.lineWidth = 1;
	for (const age of [0, top / 2, top]) {
		c.beginPath();
		c.moveTo(LEFT, y(age));
		c.lineTo(width, y(age));
		c.stroke();
		c.fillText(`${Math.round(age)} ms`, LEFT - 6, Math.min(y(age), height - 6));
	}
	c.fillStyle = colours.accent;
	ages.since(now - SPAN, (at, age) => {
		c.fillRect(LEFT + (1 - (now - at) / SPAN) * (width - LEFT) - 1, y(age) - 1, 2, 2);
	});
}
