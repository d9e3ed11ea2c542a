import type { Device, FromWorker, PathInfo, Rung, RungInfo, StreamInfo, StreamMeta } from "../src/port";
import { type MachineScene, operated } from "./machine";
import type { MadeUpStream, Scene, Wave } from "./made-up";

const NOW = Date.now() / 1_000;

function device(name: string, state: Device["state"], ago: number, facts: Record<string, string> = {}): Device {
	const id = [...name]
		.reduce((hash, c) => (hash * 31 + c.charCodeAt(0)) >>> 0, 7)
		.toString(16)
		.padStart(8, "0")
		.repeat(4);
	return { id, name, state, since: NOW - ago, heardMs: state === "reachable" ? 48_000 : 100, session: 1, facts };
}

const BENCH = device("bench-pi", "live", 500_000, {
	model: "Raspberry Pi 4",
	os: "linux",
	arch: "arm64",
	agent: "0.1.0",
});
const DEVICES = [
	BENCH,
	device("rover-2", "live", 9_000, { model: "Jetson Orin", os: "linux", arch: "arm64" }),
	device("greenhouse", "reachable", 48, { os: "linux", arch: "arm" }),
	device("pump-07", "offline", 3_100),
];

let number = 0;
function stream(name: string, meta: Partial<StreamMeta>, wave: Wave, more: Partial<MadeUpStream> = {}): MadeUpStream {
	const full: StreamMeta = {
		kind: "number",
		unit: "",
		label: "",
		group: "",
		min: null,
		max: null,
		periodMs: 1_000,
		source: "host",
		simulated: false,
		...meta,
	};
	const info: StreamInfo = {
		id: ++number,
		name,
		class: full.kind === "text" ? "event" : "live",
		deadlineMs: 1_000,
		meta: full,
	};
	return { info, wave, ...more };
}

/** noise is a repeatable value between −1 and 1. */
function noise(t: number, seed = 0): number {
	const x = Math.sin(t * 127.1 + seed * 311.7) * 43_758.5453;
	return (x - Math.floor(x)) * 2 - 1;
}

function bench(): MadeUpStream[] {
	const load = (t: number) => 22 + 8 * Math.sin(t / 9) + 5 * noise(t) + (t % 47 > 40 ? 42 : 0);
	const stale = NOW - 9;
	const fast = { group: "Acceleration", unit: "m/s²", periodMs: 10, source: "imu" };
	return [
		stream("host/cpu", { label: "Processor", unit: "%", min: 0, max: 100 }, load),
		stream("host/temp", { label: "Temperature", unit: "°C" }, (t) => 51 + Math.sin(t / 30) + 0.1 * noise(t)),
		stream("imu/accel/x", { ...fast, label: "x" }, (t) => 6 * Math.sin(t * 1.9) + 0.4 * noise(t)),
		stream("imu/accel/y", { ...fast, label: "y" }, (t) => 4 * Math.cos(t * 1.3) + 0.4 * noise(t, 1)),
		stream("imu/accel/z", { ...fast, label: "z" }, (t) =>
			t % 31 > 24 && t % 31 < 27 ? null : 9.8 + 0.2 * noise(t, 2),
		),
		stream(
			"host/memory/used",
			{ label: "Memory in use", unit: "B", min: 0, max: 4 * 2 ** 30 },
			(t) => (812 + 30 * Math.sin(t / 20)) * 2 ** 20,
		),
		stream("gpio/soil", { label: "Soil moisture", unit: "%", min: 0, max: 100, source: "gpio" }, (t) =>
			t > stale ? null : 38.4 - Math.sin(t / 90),
		),
		stream(
			"host/net/rx",
			{ group: "Network", label: "received", unit: "B/s", min: 0 },
			(t) => 140_000 * (1.2 + Math.sin(t / 5)) + 20_000 * noise(t),
		),
		stream(
			"host/net/tx",
			{ group: "Network", label: "sent", unit: "B/s", min: 0 },
			(t) => 60_000 * (1.2 + Math.cos(t / 7)) + 9_000 * noise(t, 3),
		),
		stream("gpio/door", { kind: "bool", label: "Door open", periodMs: null, source: "gpio" }, (t) =>
			Math.sin(t / 4) > 0.4 ? 1 : 0,
		),
		stream("gpio/pump", { kind: "bool", label: "Pump", periodMs: 500, source: "gpio" }, (t) => Math.floor(t / 6) % 2),
		stream(
			"sim/wave",
			{ label: "Test wave", unit: "V", periodMs: 20, source: "sim", simulated: true },
			(t) => 3 * Math.sin(t * 3),
		),
		stream("gpio/battery", { label: "Battery", unit: "V", periodMs: 60_000, source: "gpio" }, () => 12.62, {
			retainedMs: 74_000,
		}),
		stream("log/kernel", { kind: "text", label: "Kernel log", periodMs: null, source: "stdin" }, logLine),
	];
}

const LINES = [
	"usb 1-1.3: new full-speed USB device number 7",
	"<b>not bold</b> & \u0394 <script>alert(1)</script>",
	"thermal zone 0: 51 °C",
	"eth0: link is up at 1000 Mb/s",
	"a long line: ".concat("the quick brown fox jumps over the lazy dog. ".repeat(5)),
];

function logLine(t: number): string {
	return LINES[Math.floor(t / 2.5) % LINES.length] ?? "";
}

const OFF: [Rung, string][] = [
	["turn-udp", "not needed"],
	["relay-udp", "not needed"],
	["tcp", "this device does not listen"],
	["turn-tcp", "not tried"],
	["turn-tls", "not tried"],
	["relay-tcp", "not tried"],
	["sse", "not tried"],
	["poll", "not tried"],
];

function path(change: Partial<PathInfo>, rungs: RungInfo[] = []): FromWorker {
	const off = OFF.map(([rung, note]): RungInfo => ({ rung, state: "off", note, rttMs: null }));
	return {
		type: "path",
		path: {
			rung: "udp",
			reason: "on the best path: direct; the relay stays warm and takes over within 1.5 s",
			rungs: [
				{ rung: "udp", state: "use", note: "proven both ways 0.1 s ago", rttMs: 3.1 },
				{ rung: "ws", state: "warm", note: "warm spare", rttMs: 38.2 },
				...off,
				...rungs,
			],
			rttMs: 3.1,
			rttLeastMs: 2.8,
			rttVarMs: 0.4,
			lossPercent: 0.2,
			ageMs: 4.2,
			ageErrMs: 1.1,
			offsetMs: 0,
			offsetErrMs: 0.8,
			queueBytes: 0,
			silentMs: null,
			pair: "192.168.1.31:51820 ↔ 192.168.1.20:40112",
			bytesPerSample: 87,
			accepted: true,
			drops: { duplicate: 214, "old-epoch": 3 },
			...change,
		},
	};
}

const OPEN: FromWorker = { type: "link", state: "open", role: "viewer" };
const LIST: FromWorker = { type: "devices", devices: DEVICES };

function watching(streams: MadeUpStream[], more: FromWorker[]): Scene {
	const infos = streams.map(({ info }) => info);
	const onOpen: FromWorker[] = [
		{ type: "opened", device: BENCH },
		{ type: "streams", epoch: "0a1b2c3d", streams: infos },
		...more,
	];
	return { hash: `#/d/${BENCH.id}`, onConnect: [OPEN, LIST], onOpen, streams, historyMs: 70_000 };
}

function plain(onConnect: FromWorker[], hash = "#/", onOpen: FromWorker[] = []): Scene {
	return { hash, onConnect, onOpen, streams: [], historyMs: 0 };
}

function refused(code: string, reason: string, remedy: string, candidates: Device[]): Scene {
	return plain([OPEN, LIST], "#/d/bench", [{ type: "refused", code, reason, remedy, candidates }]);
}

function many(charts: number, rate: number): MadeUpStream[] {
	return Array.from({ length: charts * 3 }, (_, i) => {
		const group = `Chart ${Math.floor(i / 3) + 1}`;
		const label = "xyz".charAt(i % 3);
		const meta = { group, label, unit: "V", periodMs: 1_000 / rate, source: "sim", simulated: true };
		return stream(`sim/${i}`, meta, (t) => Math.sin(t * (1 + (i % 7) / 5) + i) + 0.1 * noise(t, i));
	});
}

const RELAY = path({
	rung: "ws",
	reason: "the relay carries: a direct path is being tried beside it",
	rttMs: 38.2,
	rttVarMs: 6.1,
	lossPercent: 0,
	ageMs: 21.4,
	ageErrMs: 19.1,
	pair: "",
	rungs: [
		{ rung: "udp", state: "trying", note: "checking 3 candidates", rttMs: null },
		{ rung: "turn-tls", state: "failed", note: "blocked by the proxy: CONNECT only to 443", rttMs: null },
		{ rung: "ws", state: "use", note: "proven both ways 0.3 s ago", rttMs: 38.2 },
	],
});

/** operating is the device page of who may operate it. */
function operating(as: "operator" | "admin", how: MachineScene): Scene {
	const slow = { kind: "number", periodMs: 50, source: "rover", simulated: true } as const;
	const streams = [
		stream("rover/speed", { ...slow, label: "Rover speed", unit: "m/s", min: -1, max: 1 }, (t) => 0.4 * Math.sin(t)),
		stream("rover/turn", { ...slow, label: "Rover turn", unit: "rad/s" }, (t) => 0.9 * Math.cos(t)),
		...bench().slice(0, 4),
	];
	const scene = watching(streams, [path({}), ...operated(how)]);
	return { ...scene, onConnect: [{ type: "link", state: "open", role: as }, LIST] };
}

/** machine is the simulated one: its pole swings as if somebody balanced it, its rover goes round. */
function machine(): MadeUpStream[] {
	const of = (label: string, unit: string, periodMs: number) => ({
		label,
		unit,
		periodMs,
		source: "machine",
		simulated: true,
	});
	const texts = { kind: "text" as const, periodMs: null, source: "machine", simulated: true };
	return [
		stream("pole/x", of("Cart", "m", 10), (t) => 0.6 * Math.sin(t)),
		stream("pole/v", of("Cart's speed", "m/s", 10), (t) => 0.6 * Math.cos(t)),
		stream("pole/angle", of("Pole's angle", "rad", 10), (t) => 0.15 * Math.sin(t * 1.7)),
		stream("pole/spin", of("Pole's turn rate", "rad/s", 10), (t) => 0.25 * Math.cos(t * 1.7)),
		stream("pole/force", of("Motor's force", "N", 10), (t) => 6 * Math.sin(t * 1.7) + noise(t)),
		stream("pole/state", { ...texts, label: "Pole" }, (t) => (Math.floor(t) % 10 === 0 ? "up" : null)),
		stream("rover/x", of("Rover, x", "m", 50), (t) => 1.2 * Math.cos(t / 2)),
		stream("rover/y", of("Rover, y", "m", 50), (t) => 0.8 * Math.sin(t)),
		stream("rover/heading", of("Rover's heading", "rad", 50), (t) =>
			Math.atan2(0.8 * Math.cos(t), -0.6 * Math.sin(t / 2)),
		),
		stream("rover/speed", of("Rover's speed", "m/s", 50), (t) => Math.hypot(0.8 * Math.cos(t), 0.6 * Math.sin(t / 2))),
		stream("rover/turn", of("Rover's turn rate", "rad/s", 50), (t) => Math.sin(t)),
		stream("rover/horn", { ...texts, label: "Rover's horn" }, (t) => (Math.floor(t) % 7 === 0 ? "honk" : null)),
		stream("machine/late", of("Steps computed late", "", 1_000), () => 0),
	];
}

const SCENES: Record<string, (query: URLSearchParams) => Scene> = {
	device: () => watching(bench(), [path({})]),
	machine: () => watching(machine(), [path({ rttMs: 102 })]),
	relay: () => watching(bench(), [RELAY]),
	many: (query) => {
		const scene = watching(many(Number(query.get("charts") ?? 20), Number(query.get("rate") ?? 100)), [path({})]);
		return { ...scene, historyMs: Number(query.get("history") ?? scene.historyMs) };
	},
	control: () => operating("operator", "free"),
	driving: () => operating("operator", "mine"),
	held: () => operating("admin", "held"),
	stopped: () => operating("operator", "stopped"),
	"on-page": () => operating("operator", "on-page"),
	home: () => plain([OPEN, LIST]),
	empty: () => plain([OPEN, { type: "devices", devices: [] }]),
	connecting: () => plain([{ type: "link", state: "connecting" }]),
	unreachable: () =>
		plain([
			{
				type: "link",
				state: "closed",
				reason: "The server does not answer.",
				remedy: "Check that it still runs.",
				retryInMs: 9_000,
			},
		]),
	"refused-link": () =>
		plain([
			{
				type: "link",
				state: "closed",
				code: "bad-origin",
				reason: "This page comes from http://192.168.1.20:8080, which the server does not know as its own.",
				remedy: "start the server with --allow-host 192.168.1.20",
			},
		]),
	silent: () => watching(bench(), [path({ silentMs: 9_300, reason: "nothing was heard lately" })]),
	lost: () => {
		const scene = watching(bench(), [
			path({}),
			{ type: "link", state: "closed", reason: "The connection was cut.", retryInMs: 6_000 },
		]);
		return scene;
	},
	login: () =>
		plain([{ type: "link", state: "closed", code: "unauthorized", reason: "This server wants a token.", remedy: "" }]),
	opening: () =>
		plain([OPEN, LIST], `#/d/${BENCH.id}`, [
			{ type: "opened", device: BENCH },
			path({
				rung: null,
				reason: "",
				rungs: [{ rung: "ws", state: "trying", note: "waiting for the device's answer", rttMs: null }],
				rttMs: null,
				rttVarMs: null,
				lossPercent: null,
				ageMs: null,
				ageErrMs: null,
				offsetMs: null,
				offsetErrMs: null,
				pair: "",
				bytesPerSample: null,
				accepted: false,
			}),
		]),
	unknown: () =>
		refused(
			"unknown-device",
			"No device is called “bench”.",
			"Check the name; these were seen before.",
			DEVICES.slice(0, 2),
		),
	ambiguous: () =>
		refused("ambiguous", "Two devices are called “bench-pi”.", "Open one by its id.", [
			BENCH,
			device("bench-pi", "offline", 90_000),
		]),
	offline: () => {
		const away = { ...BENCH, state: "offline" as const, since: NOW - 60 };
		const scene = watching(bench().slice(0, 6), [
			path({ rung: null, reason: "", rttMs: null, lossPercent: null, ageMs: null, ageErrMs: null }),
		]);
		scene.onOpen[0] = { type: "opened", device: away };
		for (const made of scene.streams) made.retainedMs = 61_000;
		return scene;
	},
};

export function scene(name: string, query: URLSearchParams): Scene {
	return (SCENES[name] ?? SCENES.device)?.(query) ?? plain([]);
}
