import type { Failure } from "../failures";

/** LinkStanding is how one rung of the link is. */
export interface LinkStanding {
	state: "use" | "trying" | "failed" | "off" | "excluded";
	failure: Failure | null; // the newest one, while it is tried again, too; in use: what is wrong with it though it works
}
