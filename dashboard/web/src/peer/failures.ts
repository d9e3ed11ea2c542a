// The one table of named failures (invariant I8): Go's package carrier reads
// the same file, so that agent, command line and page say the same words.
import table from "../../../../peer/carrier/failures.json";

/** FailureName is a key of the table. */
export type FailureName = keyof typeof table;

/** Failure is why a way to the server or to the device does not work. */
export interface Failure {
	name: string; // for programs: of the table, or a refusal's code
	reason: string; // what happened
	remedy: string; // what to do
}

/** isFailureName tells a name of the table. */
export function isFailureName(name: string): name is FailureName {
	return Object.hasOwn(table, name);
}

/** failure is a row of the table; detail is what was seen, a status for instance. */
export function failure(name: FailureName, detail = ""): Failure {
	const { reason, remedy } = table[name];
	return { name, reason: detail === "" ? reason : `${reason} (${detail})`, remedy };
}
