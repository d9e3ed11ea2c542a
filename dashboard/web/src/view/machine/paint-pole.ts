import { STANDARD } from "../../balance/cartpole";
import type { Colours } from "./sheet";

/** PoleShown is what is drawn of cart and pole. */
export interface PoleShown {
	x: number;
	angle: number;
	force: number;
	held: boolean; // by a hand
	stale: boolean;
}

const MARGIN = 20; // px, around rail and pole
const CART = { width: 0.4, height: 0.18 }; // m

/** paintPole draws a cart on its rail, with the pole and the force of the motor, to scale. */
export function paintPole(
	c: CanvasRenderingContext2D,
	width: number,
	height: number,
	shown: PoleShown,
	colours: Colours,
): void {
	const { rail, half, maxForce } = STANDARD;
	const across = (width - 2 * MARGIN) / (2 * rail + CART.width);
	const up = (height - 2 * MARGIN - 16) / (2 * half + CART.height);
	const scale = Math.min(across, up);
	const ground = height - MARGIN - 16;
	const at = (x: number) => width / 2 + x * scale;
	c.globalAlpha = 1;
	paintRail(c, at, ground, scale, colours);
	if (Number.isNaN(shown.x) || Number.isNaN(shown.angle)) return;
	c.globalAlpha = shown.stale ? 0.35 : 1;
	const cart = { x: at(shown.x), y: ground - CART.height * scale };
	paintForce(
		c,
		cart.x,
		ground - (CART.height / 2) * scale,
		(shown.force / maxForce) * scale,
		(CART.width / 2) * scale,
		colours,
	);
	paintCart(c, cart.x, ground, scale, colours);
	paintRod(c, cart.x, cart.y, shown, 2 * half * scale, colours);
	c.globalAlpha = 1;
}

function paintRail(
	c: CanvasRenderingContext2D,
	at: (x: number) => number,
	ground: number,
	scale: number,
	colours: Colours,
): void {
	const reach = STANDARD.rail + CART.width / 2;
	c.strokeStyle = colours.edge;
	c.lineWidth = 2;
	c.beginPath();
	c.moveTo(at(-reach), ground - 0.12 * scale);
	c.lineTo(at(-reach), ground);
	c.lineTo(at(reach), ground);
	c.lineTo(at(reach), ground - 0.12 * scale);
	c.stroke();
	c.fillStyle = colours.faint;
	c.font = `11px ${colours.font}`;
	c.textAlign = "center";
	c.textBaseline = "top";
	c.lineWidth = 1;
	for (let m = -2; m <= 2; m++) {
		c.beginPath();
		c.moveTo(at(m), ground + 1);
		c.lineTo(at(m), ground + 6);
		c.stroke();
		c.fillText(m === 0 ? "0" : `${m < 0 ? "−" : ""}${Math.abs(m)} m`, at(m), ground + 8);
	}
}

function paintCart(c: CanvasRenderingContext2D, x: number, ground: number, scale: number, colours: Colours): void {
	const width = CART.width * scale;
	const height = CART.height * scale;
	c.fillStyle = colours.body;
	c.beginPath();
	c.roundRect(x - width / 2, ground - height, width, height * 0.72, 4);
	c.fill();
	c.fillStyle = colours.ink;
	for (const side of [-0.28, 0.28]) {
		c.beginPath();
		c.arc(x + side * width, ground - height * 0.2, height * 0.2, 0, 2 * Math.PI);
		c.fill();
	}
}

function paintRod(
	c: CanvasRenderingContext2D,
	x: number,
	y: number,
	{ angle, held }: PoleShown,
	length: number,
	colours: Colours,
): void {
	const tip = { x: x + length * Math.sin(angle), y: y - length * Math.cos(angle) };
	c.strokeStyle = colours.pole;
	c.lineWidth = 6;
	c.lineCap = "round";
	c.beginPath();
	c.moveTo(x, y);
	c.lineTo(tip.x, tip.y);
	c.stroke();
	c.fillStyle = colours.ink;
	c.beginPath();
	c.arc(x, y, 4, 0, 2 * Math.PI);
	c.fill();
	if (!held) return;
	c.strokeStyle = colours.soft;
	c.lineWidth = 2;
	c.setLineDash([3, 3]);
	c.beginPath();
	c.arc(tip.x, tip.y, 10, 0, 2 * Math.PI);
	c.stroke();
	c.setLineDash([]);
}

/** The arrow begins at the cart's side: whoever pulls there, pulls so much. */
function paintForce(
	c: CanvasRenderingContext2D,
	x: number,
	y: number,
	length: number,
	half: number,
	colours: Colours,
): void {
	if (Math.abs(length) < 1) return;
	const side = Math.sign(length);
	const from = x + side * half;
	const to = from + length;
	c.strokeStyle = c.fillStyle = colours.accent;
	c.lineWidth = 3;
	c.beginPath();
	c.moveTo(from, y);
	c.lineTo(to, y);
	c.stroke();
	c.beginPath();
	c.moveTo(to + side * 7, y);
	c.lineTo(to, y - 5);
	c.lineTo(to, y + 5);
	c.fill();
}
