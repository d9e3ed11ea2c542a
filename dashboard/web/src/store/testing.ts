import type { StreamInfo, StreamMeta } from "../port";

/** info describes a stream for a test; what it does not say is plain. */
export function info(meta: Partial<StreamMeta> = {}, name = "a/b", id = 1): StreamInfo {
	const plain: StreamMeta = {
		kind: "number",
		unit: "",
		label: "",
		group: "",
		min: null,
		max: null,
		periodMs: 100,
		source: "",
		simulated: false,
	};
	return { id, name, class: "live", deadlineMs: null, meta: { ...plain, ...meta } };
}
