import type { PathInfo } from "../../port";

/** leads says whether a path goes to the device now: one in use that is silent is there because there is no better one. */
export function leads(path: PathInfo | null): boolean {
	return path !== null && path.rung !== null && path.silentMs === null;
}
