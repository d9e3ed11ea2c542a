import { deadzone, expo } from "./shape";

/** PadSettings are how a game pad is read. */
export interface PadSettings {
	/** standard: the left stick of a pad that the browser knows; raw: the axes x and y as the pad numbers them. */
	mapping: "standard" | "raw";
	x: number;
	y: number;
	invertX: boolean;
	invertY: boolean;
	deadzone: number; // 0 … 0.9
	expo: number; // 0 … 1
}

export const PAD_DEFAULTS: PadSettings = {
	mapping: "standard",
	x: 0,
	y: 1,
	invertX: false,
	invertY: false,
	deadzone: 0.12,
	expo: 0.3,
};

/** PadLike is what is read of a Gamepad. */
export interface PadLike {
	readonly id: string;
	readonly index: number;
	readonly connected: boolean;
	readonly mapping: string;
	readonly axes: readonly number[];
}

/** readPad is where the stick points, right and up positive. */
export function readPad(pad: PadLike, settings: PadSettings): { x: number; y: number } {
	const [x, y] = settings.mapping === "standard" ? [0, 1] : [settings.x, settings.y];
	const shape = (value: number, invert: boolean) => {
		const shaped = expo(deadzone(Number.isFinite(value) ? value : 0, settings.deadzone), settings.expo);
		return invert ? 0 - shaped : shaped;
	};
	// A pad's y points down.
	return { x: shape(pad.axes[x] ?? 0, settings.invertX), y: shape(0 - (pad.axes[y] ?? 0), settings.invertY) };
}

/** PadHand tells a hand on a pad from a pad that lies there: it counts from when its stick was seen at rest. */
export class PadHand {
	private id = ""; // two of a kind have the same one
	private index = -1;
	private rested = false;

	/** read is where the hand points; null: none is there. */
	read(pad: PadLike | null, settings: PadSettings): { x: number; y: number } | null {
		if (pad === null || !pad.connected) {
			this.id = "";
			this.rested = false;
			return null;
		}
		if (pad.id !== this.id || pad.index !== this.index) {
			this.id = pad.id;
			this.index = pad.index;
			this.rested = false;
		}
		const { x, y } = readPad(pad, settings);
		const rests = x === 0 && y === 0;
		this.rested ||= rests;
		return rests || !this.rested ? null : { x, y };
	}

	/** rest: it has to be seen at rest again before it counts. */
	rest(): void {
		this.rested = false;
	}
}

/** firstPad is the pad that is read: the first one there is. */
export function firstPad(): Gamepad | null {
	if (!("getGamepads" in navigator)) return null;
	return navigator.getGamepads().find((pad) => pad?.connected) ?? null;
}

/** cleanPadSettings reads settings that were stored; what is not there or makes no sense is as by default. */
export function cleanPadSettings(value: unknown): PadSettings {
	const stored = { ...PAD_DEFAULTS, ...(typeof value === "object" ? value : null) };
	const within = (n: unknown, least: number, most: number, otherwise: number) =>
		typeof n === "number" && n >= least && n <= most ? n : otherwise;
	return {
		mapping: stored.mapping === "raw" ? "raw" : "standard",
		x: Math.floor(within(stored.x, 0, 15, PAD_DEFAULTS.x)),
		y: Math.floor(within(stored.y, 0, 15, PAD_DEFAULTS.y)),
		invertX: stored.invertX === true,
		invertY: stored.invertY === true,
		deadzone: within(stored.deadzone, 0, 0.9, PAD_DEFAULTS.deadzone),
		expo: within(stored.expo, 0, 1, PAD_DEFAULTS.expo),
	};
}
