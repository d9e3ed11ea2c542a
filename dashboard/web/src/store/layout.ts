import type { StreamInfo } from "../port";

/** Series is one stream's place on a card. */
export interface Series {
	stream: StreamInfo;
	label: string;
}

/** Card is one panel of the device page. */
export interface Card {
	key: string;
	kind: "line" | "steps" | "log";
	title: string;
	/** Names of the streams, as the device calls them. */
	source: string;
	unit: string;
	series: Series[];
	simulated: boolean;
}

/** layout makes the device page out of what the streams say of themselves: in the device's order, measurements first. */
export function layout(streams: readonly StreamInfo[]): Card[] {
	const cards = new Map<string, StreamInfo[]>();
	for (const stream of streams) {
		const key = cardKey(stream);
		cards.set(key, [...(cards.get(key) ?? []), stream]);
	}
	const all = [...cards].map(([key, members]) => card(key, members));
	return [...all.filter((c) => !c.simulated), ...all.filter((c) => c.simulated)];
}

/** Streams share a card when they share group, unit and kind; on/off streams without a group share one for all. */
function cardKey(stream: StreamInfo): string {
	const { group, kind, unit } = stream.meta;
	if (group !== "") return `group/${group}/${kind}/${unit}/${stream.meta.simulated}`;
	if (kind === "bool") return `states/${stream.meta.simulated}`;
	return `stream/${stream.name}`;
}

/** shape changes when a card has other streams than before: what reads and draws them begins anew then. */
export function shape({ key, series, unit }: Card): string {
	return [key, unit, ...series.map(({ stream }) => `${stream.meta.kind} ${stream.name}`)].join("\n");
}

function card(key: string, members: StreamInfo[]): Card {
	const [first] = members as [StreamInfo];
	const alone = members.length === 1;
	const { kind, group, simulated } = first.meta;
	return {
		key,
		kind: kind === "text" ? "log" : kind === "bool" ? "steps" : "line",
		title: title(first, alone, group),
		source: alone ? first.name : commonPrefix(members.map((member) => member.name)),
		unit: kind === "bytes" ? "B" : first.meta.unit,
		series: members.map((stream) => ({ stream, label: seriesLabel(stream, members) })),
		simulated,
	};
}

function title(first: StreamInfo, alone: boolean, group: string): string {
	if (alone) return first.meta.label || (group === "" ? first.name : group);
	return group === "" ? "On / off" : group;
}

function seriesLabel(stream: StreamInfo, members: StreamInfo[]): string {
	if (stream.meta.label !== "") return stream.meta.label;
	const prefix = commonPrefix(members.map((member) => member.name));
	return stream.name.slice(members.length > 1 && prefix !== "" ? prefix.length + 1 : 0);
}

/** commonPrefix is the path that all names share, in whole segments and without its last slash. */
export function commonPrefix(names: readonly string[]): string {
	const paths = names.map((name) => name.split("/").slice(0, -1));
	const [first = []] = paths;
	let length = 0;
	while (length < first.length && paths.every((path) => path[length] === first[length])) length++;
	return first.slice(0, length).join("/");
}
