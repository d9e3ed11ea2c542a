import type { Colours } from "./sheet";

/** RoverShown is what is drawn of the rover. */
export interface RoverShown {
	x: number;
	y: number;
	heading: number;
	honks: boolean;
	stale: boolean;
	/** Where it was, oldest first: x and y in turns. */
	trail: readonly number[];
}

/** Half of the arena's side, and the rover's radius, in m (device/machine/rover). */
const ARENA = 2;
const RADIUS = 0.12;
const MARGIN = 12; // px

/** paintRover draws the arena from above, y upward, to scale. */
export function paintRover(
	c: CanvasRenderingContext2D,
	width: number,
	height: number,
	shown: RoverShown,
	colours: Colours,
): void {
	const scale = (Math.min(width, height) - 2 * MARGIN) / (2 * ARENA);
	const at = (x: number, y: number) => [width / 2 + x * scale, height / 2 - y * scale] as const;
	c.globalAlpha = 1;
	paintArena(c, at, scale, colours);
	if (Number.isNaN(shown.x) || Number.isNaN(shown.y) || Number.isNaN(shown.heading)) return;
	c.globalAlpha = shown.stale ? 0.35 : 1;
	paintTrail(c, at, shown.trail, colours);
	const [x, y] = at(shown.x, shown.y);
	c.save();
	c.translate(x, y);
	c.rotate(-shown.heading);
	paintBody(c, RADIUS * scale, colours);
	if (shown.honks) paintHorn(c, RADIUS * scale, colours);
	c.restore();
	c.globalAlpha = 1;
}

type Place = (x: number, y: number) => readonly [number, number];

function paintArena(c: CanvasRenderingContext2D, at: Place, scale: number, colours: Colours): void {
	const [left, top] = at(-ARENA, ARENA);
	c.fillStyle = colours.sunk;
	c.strokeStyle = colours.edge;
	c.lineWidth = 2;
	c.beginPath();
	c.roundRect(left, top, 2 * ARENA * scale, 2 * ARENA * scale, 4);
	c.fill();
	c.stroke();
	c.strokeStyle = colours.line;
	c.lineWidth = 1;
	c.beginPath();
	for (let m = 1 - ARENA; m < ARENA; m++) {
		c.moveTo(...at(m, -ARENA));
		c.lineTo(...at(m, ARENA));
		c.moveTo(...at(-ARENA, m));
		c.lineTo(...at(ARENA, m));
	}
	c.stroke();
}

function paintTrail(c: CanvasRenderingContext2D, at: Place, trail: readonly number[], colours: Colours): void {
	c.strokeStyle = colours.accent;
	c.lineWidth = 2;
	c.beginPath();
	for (let i = 0; i + 1 < trail.length; i += 2) {
		const [x, y] = at(trail[i] ?? 0, trail[i + 1] ?? 0);
		if (i === 0) c.moveTo(x, y);
		else c.lineTo(x, y);
	}
	c.stroke();
}

function paintBody(c: CanvasRenderingContext2D, r: number, colours: Colours): void {
	c.fillStyle = colours.ink;
	for (const side of [-1, 1]) c.fillRect(-r * 0.7, side * r * 0.95 - r * 0.2, r * 1.4, r * 0.4);
	c.fillStyle = colours.body;
	c.beginPath();
	c.roundRect(-r, -r * 0.75, 2 * r, 1.5 * r, r * 0.4);
	c.fill();
	c.fillStyle = colours.pole;
	c.beginPath(); // which way is forward
	c.moveTo(r * 0.8, 0);
	c.lineTo(r * 0.1, -r * 0.45);
	c.lineTo(r * 0.1, r * 0.45);
	c.fill();
}

function paintHorn(c: CanvasRenderingContext2D, r: number, colours: Colours): void {
	c.strokeStyle = colours.warn;
	c.lineWidth = 2;
	for (const ring of [1.3, 1.7, 2.1]) {
		c.beginPath();
		c.arc(r * 0.6, 0, r * ring, -0.5, 0.5);
		c.stroke();
	}
}
