import type { PathInfo, RungInfo } from "../../port";
import { bytes, NONE, number, plusMinus } from "../format/number";
import { milliseconds } from "../format/time";
import { DROP_WORDS, RUNG_NAMES, sentence } from "../format/words";
import type { App } from "../state/app.svelte";
import { leads } from "../state/leads";

/** why says in a sentence why the path is what it is. */
export function why({ path, device, refusal }: Pick<App, "path" | "device" | "refusal">): string {
	if (refusal !== null) return "No path: the device could not be opened.";
	if (device?.state === "offline") {
		if (leads(path)) return "The server does not see the device; this path keeps working without it.";
		return "The device is offline: there is no path to it. This page reconnects by itself.";
	}
	if (path === null) return "No path yet: the server is being asked for the device.";
	if (path.reason !== "") return sentence(path.reason);
	return path.rung === null ? "No path works at the moment; all are being tried." : `Using ${RUNG_NAMES[path.rung]}.`;
}

/** figures are the drawer's numbers, each with its bound where it is an estimate. */
export function figures(path: PathInfo | null): [string, string][] {
	return [
		["Round trip", estimate(path?.rttMs, path?.rttVarMs)],
		["Age on arrival", estimate(notBelowZero(path?.ageMs), path?.ageErrMs)],
		["Loss, last minute", path?.lossPercent == null ? NONE : `${number(path.lossPercent, 1)} %`],
		["Received, per sample", path?.bytesPerSample == null ? NONE : `${number(path.bytesPerSample, 0)} B`],
		["Send queue", path === null ? NONE : bytes(path.queueBytes)],
		["Clock offset", estimate(path?.offsetMs, path?.offsetErrMs)],
		["Candidate pair", path?.pair || NONE],
	];
}

/** Drop is one reason for which something was dropped here, and how often. */
export interface Drop {
	reason: string;
	words: string;
	count: number;
}

/** drops are the reasons there were, the most frequent first. */
export function drops({ path, dropped }: Pick<App, "path" | "dropped">): Drop[] {
	return Object.entries({ ...path?.drops, page: dropped })
		.filter(([, count]) => count > 0)
		.map(([reason, count]) => ({ reason, words: DROP_WORDS[reason] ?? reason, count }))
		.sort((a, b) => b.count - a.count);
}

/** report is what a person sends to whoever helps: everything the drawer knows, as text. */
export function report(app: App, now: number): string {
	const { path, device } = app;
	return [
		"telepath connection report",
		`time: ${new Date(now).toISOString()}`,
		`server: ${app.server} (link ${app.link.state}${app.link.code && `, ${app.link.code}: ${app.link.reason}`})`,
		`device: ${device === null ? NONE : `${device.name} ${device.id} ${device.state}`}`,
		`path: ${path?.rung ?? "none"}${path?.reason ? ` (${path.reason})` : ""}`,
		`accepted by the device: ${path?.accepted ? "yes" : "no"}`,
		...figures(path).map(([name, value]) => `${name.toLowerCase()}: ${value}`),
		"rungs:",
		...(path?.rungs ?? []).flatMap(rungLines),
		...networkLines(app),
		`samples received: ${app.store.received}`,
		`dropped here: ${
			drops(app)
				.map(({ reason, count }) => `${reason} ${count}`)
				.join(", ") || "nothing"
		}`,
		`kept after a reload: ${keeps(app.archive)}`,
		`secure context: ${isSecureContext ? "yes" : "no"}`,
		`browser: ${navigator.userAgent}`,
	].join("\n");
}

/** keeps says whether what came survives a reload of the page. */
export function keeps(problem: string | null): string {
	if (problem === null) return NONE;
	return problem === "" ? "yes, in this browser" : `no: ${problem}`;
}

/** rungLines are a rung's state, round trip and note, and below it its verdict and what to do. */
function rungLines({ rung, state, rttMs, note, verdict }: RungInfo): string[] {
	const line = `  ${rung.padEnd(10)} ${state.padEnd(7)} ${milliseconds(rttMs).padStart(8)}  ${note}`.trimEnd();
	return verdict === undefined
		? [line]
		: [line, `${" ".repeat(31)}${verdict.name}: ${verdict.reason}; ${verdict.remedy}`];
}

/** networkLines are what was found out of the network, if somebody has asked. */
export function networkLines({ network }: Pick<App, "network">): string[] {
	if (network === null) return ["network: not checked"];
	const lines = network.findings.map(({ name, verdict, ms, note, failure }) => {
		const line = `  ${name.padEnd(10)} ${verdict.padEnd(7)} ${milliseconds(ms).padStart(8)}  `;
		return `${line}${failure === undefined ? note : `${failure.name}: ${note}; ${failure.remedy}`}`.trimEnd();
	});
	return [`network, checked ${new Date(network.at).toISOString()}${network.over ? "" : ", not finished"}:`, ...lines];
}

/** notBelowZero: nothing comes before it was made; only what is known of the clocks says so. */
export function notBelowZero(ageMs: number | null | undefined): number | null {
	return ageMs == null ? null : Math.max(0, ageMs);
}

function estimate(value: number | null | undefined, error: number | null | undefined): string {
	return value == null ? NONE : milliseconds(value) + plusMinus(error ?? null);
}
