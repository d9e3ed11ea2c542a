import type { FromControl, LeaseInfo } from "../../port";
import { duration } from "../format/time";

type Beat = Extract<FromControl, { type: "control.state" }>;

/** A device that obeys this page shows its clock every 500 ms: one of which nothing came for longer than this, in ms, may be in any state. */
const SILENT_MS = 2_000;

/**
 * silence is for how long nothing was heard of the device's control, in ms;
 * null: what it said last counts; Infinity: nothing ever was. A Worker that
 * hangs says nothing either, so the time since its word counts, too.
 */
export function silence(beat: Beat | null, beatAt: number, now: number): number | null {
	if (beat === null) return null; // it comes within a moment of the machine
	if (beat.tickAgeMs === null) return Number.POSITIVE_INFINITY;
	const ms = beat.tickAgeMs + Math.max(0, now - beatAt);
	return ms > SILENT_MS ? ms : null;
}

/** silenceWords says since when nothing is known. */
export function silenceWords(ms: number): string {
	return ms === Number.POSITIVE_INFINITY ? "Nothing heard from it yet" : `Nothing heard from it for ${duration(ms)}`;
}

/** stateWords says what moves. */
export function stateWords(silentMs: number | null, moving: boolean): string {
	if (silentMs !== null) return "Not known";
	return moving ? "Obeys setpoints" : "Safe";
}

/** leaseWords says who has control. */
export function leaseWords(silentMs: number | null, { mine, holder }: LeaseInfo): string {
	const who = mine ? "You" : holder && (holder.name || "Somebody");
	if (silentMs !== null) return who === null ? "Not known who has control" : `${who} had control when last heard`;
	if (who === null) return "Nobody has control";
	return mine ? "You have control" : `${who} has control`;
}
