import type { Carried, Finding, FromWorker, SurveyJob, ToWorker } from "../port";
import { RtcPage } from "../rtc-page";
import { survey } from "../survey/survey";
import { DEBUG_NAME, debugWanted } from "./debug";
import { connectTime } from "./journey";
import { onlyOf } from "./only";
import { recall, remember } from "./remember";

/** EnginePort is the page's end of the port. */
export interface EnginePort {
	send(message: ToWorker): void;
	/** listen names the one listener. */
	listen(listener: (message: FromWorker) => void): void;
	/** begun is when the link to the server is being made, or BEGIN_WITHIN is over: until then the Engine needs this thread. */
	readonly begun: Promise<void>;
	dispose(): void;
}

/** A page draws nothing for so long, in ms, so that its Worker begins sooner. */
const BEGIN_WITHIN = 150;

/** Side is where an Engine runs: in a Worker, or on this page. */
interface Side {
	post(message: ToWorker, transfer?: Transferable[]): void;
	dispose(): void;
}

/**
 * startEngine starts an Engine in a Worker and answers its wishes for
 * RTCPeerConnections; all else goes to the listener. Where a browser cannot move
 * data channels to a Worker, the same Engine begins again on the page, and
 * gets the page's identity and its last connect and open.
 */
export function startEngine(): EnginePort {
	const debugging = debugWanted();
	const last: Record<"identity" | "open" | "connect", ToWorker | null> = { identity: null, open: null, connect: null };
	let listener: (message: FromWorker) => void = () => undefined;
	let onPage = false;

	let begin: () => void = () => undefined;
	const begun = new Promise<void>((resolve) => {
		begin = resolve;
		setTimeout(resolve, BEGIN_WITHIN);
	});

	const receive = (message: FromWorker) => {
		if (message.type === "link") begin();
		if (message.type === "carried") keep(message.carried);
		else if (message.type === "survey") void look(message.job, (heard) => listener(heard));
		else if (!rtc.handle(message)) listener(message);
	};
	const fallBack = () => {
		if (onPage) return;
		onPage = true;
		side.dispose();
		rtc.dispose();
		side = pageSide(receive, debugging);
		for (const message of [last.identity, last.open, last.connect]) if (message !== null) side.post(message);
	};
	const rtc = new RtcPage({
		post: (message, transfer) => side.post(message, transfer),
		// Not in the task that found out: the attempt is still being made there.
		onUntransferable: () => queueMicrotask(fallBack),
	});
	let side = anySide(receive, fallBack, debugging);

	return {
		begun,
		listen(to) {
			listener = to;
		},
		send(message) {
			const told = completed(message);
			if (told.type === "control.identity") last.identity = told;
			if (told.type === "connect") last.connect = told;
			if (told.type === "open") last.open = told;
			if (told.type === "close") last.open = null;
			side.post(told);
		},
		dispose() {
			rtc.dispose();
			side.dispose();
		},
	};
}

/** keep stores what was found out, unless it was found out under restrictions. */
function keep(carried: Carried | null): void {
	if (onlyOf(location.search).length === 0) remember(carried);
}

/** completed adds what the page knows and a Worker cannot: its address, how it got here, and what earlier visits stored. */
function completed(message: ToWorker): ToWorker {
	const only = onlyOf(location.search);
	if (message.type === "open") return { ...message, only };
	if (message.type !== "connect") return message;
	const connect = { ...message, connectMs: connectTime(performance.getEntriesByType("navigation")[0]) };
	return only.length === 0 ? { ...connect, carried: recall() } : { ...connect, only };
}

/** anySide is a Worker, or the page itself where there are none. */
function anySide(receive: (message: FromWorker) => void, broken: () => void, debugging: boolean): Side {
	try {
		return workerSide(receive, broken, debugging);
	} catch {
		return pageSide(receive, debugging);
	}
}

function workerSide(receive: (message: FromWorker) => void, broken: () => void, debugging: boolean): Side {
	const name = debugging ? DEBUG_NAME : "telepath";
	const worker = new Worker(new URL("../worker.ts", import.meta.url), { type: "module", name });
	worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
		worker.onerror = null; // it runs: an error from here on is a fault of its own, which the console shows
		receive(data);
	};
	worker.onerror = broken; // the script could not be loaded
	worker.onmessageerror = broken;
	return {
		post: (message, transfer = []) => worker.postMessage(message, transfer),
		dispose: () => worker.terminate(),
	};
}

/** pageSide loads the Engine, which nearly every page has in its Worker only; what is said until then waits. */
function pageSide(receive: (message: FromWorker) => void, debugging: boolean): Side {
	const loading = import("./on-page").then(({ engineOnPage }) => engineOnPage(receive, debugging));
	let engine: Awaited<typeof loading> | null = null;
	void loading.then((loaded) => {
		engine = loaded;
	});
	return {
		post(message) {
			// A channel that waited would miss its first messages; there is none before the Engine asked for one.
			if (engine !== null) engine.handle(message);
			else void loading.then((loaded) => loaded.handle(message));
		},
		dispose: () => void loading.then((loaded) => loaded.dispose()),
	};
}

/** look surveys the network from the page, which has the RTCPeerConnections. */
async function look(job: SurveyJob, tell: (message: FromWorker) => void): Promise<void> {
	let last: Finding[] = [];
	await survey(job, (findings) => {
		last = findings;
		tell({ type: "network", findings, over: false });
	});
	tell({ type: "network", findings: last, over: true });
}
