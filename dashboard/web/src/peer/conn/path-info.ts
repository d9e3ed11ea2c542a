import type { Failure } from "../failures";
import type { Rung } from "../ladder";

/** RungInfo is one line of the drawer: why this rung is used or is not. */
export interface RungInfo {
	rung: Rung;
	state: "use" | "warm" | "trying" | "failed" | "off";
	note: string;
	rttMs: number | null;
	verdict?: Failure; // why it does not carry, or what is wrong though it does, if that has a name
}

/** PathInfo is all that the badge and its drawer show; null means unknown. */
export interface PathInfo {
	rung: Rung | null; // the best one in use; null: no path
	reason: string;
	rungs: RungInfo[];
	rttMs: number | null; // smoothed
	rttLeastMs: number | null; // the smallest of the latest
	rttVarMs: number | null;
	lossPercent: number | null; // of the last minute, by the holes in the sequence numbers
	ageMs: number | null; // of the newest live sample when it came
	ageErrMs: number | null;
	offsetMs: number | null; // the device's clock minus this one
	offsetErrMs: number | null;
	queueBytes: number; // waiting to be sent here
	silentMs: number | null; // for so long nothing was heard on it; null: it is proven, or there is none
	pair?: string;
	bytesPerSample: number | null; // received, of the last minute
	accepted: boolean; // the device has accepted this Conn
	drops?: Record<string, number>; // frames dropped here, by the reasons of section 5.3
}
