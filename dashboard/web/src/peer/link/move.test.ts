import { beforeEach, expect, test } from "vitest";
import { Dialled, FakeCarrier } from "../carrier/fake.testing";
import type { ChannelRung, LinkRung } from "../carrier/link-carrier";
import { failure } from "../failures";
import { TestEnv } from "../testing";
import { read, said } from "../testing-signal";
import { parseProbe, TYPE_PROBE } from "../wire";
import { echoFrame } from "./encode";
import { Link } from "./link";

// The link between HTTP and data channels to the server (section 6.10).

const welcome = said(0, { type: "welcome", server: "s", role: "viewer", time: 1 });

let env: TestEnv;
let dialled: Dialled;
let channels: FakeCarrier[];
let comes: ChannelRung; // what an opening of data channels is about to be
let log: string[];
let link: Link;

beforeEach(() => {
	env = new TestEnv();
	dialled = new Dialled();
	channels = [];
	comes = "relay-udp";
	log = [];
	link = new Link({
		env,
		opening: () => null,
		why: async () => ({ refusal: null, reached: true }),
		dial: dialled.dial,
		channels: (request, { udp, tcp }, events) => {
			log.push(`channels${udp ? " udp" : ""}${tcp ? " tcp" : ""}`);
			const carrier = new FakeCarrier(comes, request, events);
			channels.push(carrier);
			return carrier;
		},
		events: {
			onConnecting: () => log.push("connecting"),
			onUp: (_, line) => log.push(`up ${line.rung}`),
			onDown: ({ code }) => log.push(`down ${code}`),
			onFrame: () => undefined,
			onPacketEnd: () => undefined,
			onSignal: () => undefined,
			onSettled: () => undefined,
			onCarried: () => undefined,
		},
	});
});

const newest = () => channels.at(-1) ?? expect.fail("no data channels were tried");

/** carries lets time pass while the link carries, as the engine tells it; answered: the server answers probes on the newest channels. */
function carries(ms: number, on = true, answered = true): void {
	for (let t = 0; t < ms; t += 50) {
		env.advance(40);
		link.carries(on);
		const carrier = channels.at(-1);
		const asked = carrier === undefined ? [] : read(carrier.take());
		env.advance(10); // there and back
		for (const other of dialled.carriers) if (!other.closed) other.hear(said(0, { type: "devices", devices: [] }));
		if (!answered || carrier === undefined || carrier.closed) continue;
		for (const frame of asked) {
			if (frame.type !== TYPE_PROBE) continue;
			const wall = env.wall();
			carrier.hear(echoFrame(0, { ...parseProbe(frame.body), heard: true, t2: wall, t3: wall }));
		}
	}
}

function begin(...only: LinkRung[]): void {
	link.connect({ url: "http://h/v1/link", token: "", only });
	env.advance(0);
	dialled.newest().hear(welcome);
}

function rise(): void {
	carries(2_100);
	newest().hear(welcome);
}

test("after 2 s it moves up; in silence it is on a WebSocket again before 1.5 s are over, and then it waits", () => {
	begin();
	rise();
	expect(log).toEqual(["connecting", "up ws", "channels udp tcp", "up relay-udp"]);
	carries(12_000);
	expect(log).toHaveLength(4);
	carries(700, true, false);
	expect(dialled.rungs()).toBe("ws ws");
	dialled.newest().hear(welcome);
	expect(log.at(-1)).toBe("up ws");
	expect(link.standing("relay-udp").failure?.name).toBe("fell-silent");
	carries(2_500);
	expect(channels).toHaveLength(1);
	carries(600);
	expect(channels).toHaveLength(2);
});

test("nothing is given up for it: where no other link comes the silent one has its time, and may come back", () => {
	begin();
	rise();
	carries(1_000);
	carries(800, true, false);
	dialled.newest().ends({ failure: failure("timeout") });
	expect(log.at(-1)).toBe("up relay-udp");
	expect(link.current?.rung).toBe("relay-udp");
});

test("over TCP it says why, and looks for UDP", () => {
	begin();
	comes = "relay-tcp";
	rise();
	expect(log.at(-1)).toBe("up relay-tcp");
	expect(link.standing("relay-udp").failure?.name).toBe("udp-blocked");
	comes = "relay-udp";
	carries(5_100);
	expect(log.at(-1)).toBe("channels udp");
	newest().hear(welcome);
	expect(log.at(-1)).toBe("up relay-udp");
	expect(link.standing("relay-udp")).toEqual({ state: "use", failure: null });
});

test("an opening that fails is told, and tried again later", () => {
	begin();
	carries(2_100);
	newest().ends({ failure: failure("relay-blocked") });
	expect(link.standing("relay-udp")).toMatchObject({ state: "failed", failure: { name: "relay-blocked" } });
	carries(4_900);
	expect(channels).toHaveLength(1);
	carries(200);
	expect(channels).toHaveLength(2);
	expect(link.current?.rung).toBe("ws");
});

test("channels that end before the server lets us in have failed, too, and are tried again", () => {
	begin();
	carries(2_100);
	newest().hear(said(0, { type: "devices", devices: [] }));
	newest().ends({ failure: failure("cut") });
	carries(5_100);
	expect(channels).toHaveLength(2);
});

test("a link that is to take over from silent channels and ends before the welcome is looked for again", () => {
	begin();
	rise();
	carries(1_000);
	carries(800, true, false);
	dialled.newest().hear(said(0, { type: "devices", devices: [] }));
	dialled.newest().ends({ failure: failure("cut") });
	carries(1_600, true, false);
	expect(dialled.rungs()).toBe("ws ws ws");
});

test("where the browser finds UDP under a link over TCP, there is nothing to look for", () => {
	begin();
	comes = "relay-tcp";
	rise();
	newest().rung = "relay-udp";
	carries(20_000);
	expect(channels).toHaveLength(1);
	expect(link.standing("relay-udp").state).toBe("use");
});

test("only what is allowed is tried", () => {
	begin("ws");
	carries(10_000);
	expect(channels).toEqual([]);
	begin("relay-tcp");
	comes = "relay-tcp";
	rise();
	expect(log.filter((line) => line.startsWith("channels"))).toEqual(["channels tcp"]);
	expect(link.standing("relay-udp").state).toBe("excluded");
});

test("when better paths have carried for 30 s it goes back", () => {
	begin();
	rise();
	carries(31_000, false);
	expect(dialled.rungs()).toBe("ws ws");
	dialled.newest().hear(welcome);
	expect(log.at(-1)).toBe("up ws");
	expect(link.standing("relay-udp").failure).toBeNull();
});
