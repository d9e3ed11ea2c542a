import type { Axis } from "../port";

// From what an input shows to where an axis is to go. A deflection is −1 … 1.

/** deadzone is 0 around the middle, and grows from 0 behind it: what rests is no hand, and nothing jumps at the edge. */
export function deadzone(deflection: number, zone: number): number {
	const size = Math.abs(deflection);
	if (!(size > zone)) return 0;
	return Math.sign(deflection) * Math.min(1, (size - zone) / (1 - zone));
}

/** expo is finer around the middle, the more the larger amount (0 … 1) is; the ends stay. */
export function expo(deflection: number, amount: number): number {
	return (1 - amount) * deflection + amount * deflection ** 3;
}

/** toValue is where a deflection sends an axis; 0 is its neutral, also where that is not in the middle. */
export function toValue({ min, max, neutral }: Axis, deflection: number): number {
	const d = Math.min(1, Math.max(-1, deflection));
	return neutral + d * (d < 0 ? neutral - min : max - neutral);
}

/** toDeflection is the other way round. */
export function toDeflection({ min, max, neutral }: Axis, value: number): number {
	const range = value < neutral ? neutral - min : max - neutral;
	return range === 0 ? 0 : Math.min(1, Math.max(-1, (value - neutral) / range));
}
