/** The Worker has this name when somebody is looking for a fault: it has no localStorage to look into. */
export const DEBUG_NAME = "telepath debug";

/** debugWanted: whoever looks for a fault sets localStorage.telepathDebug. Storage may be forbidden. */
export function debugWanted(): boolean {
	try {
		return Boolean(localStorage.getItem("telepathDebug"));
	} catch {
		return false;
	}
}
