import { parseRung, type Rung } from "../peer/ladder";

/** onlyOf are the rungs that the page's address restricts us to, for testing: "?only=sse,poll". None: all may be used. */
export function onlyOf(search: string): Rung[] {
	const names = new URLSearchParams(search).get("only") ?? "";
	return names.split(",").flatMap((name) => parseRung(name.trim()) ?? []);
}
