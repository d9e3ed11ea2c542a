import { expect, it } from "vitest";
import type { Device, PathInfo, Rung } from "../../port";
import { notBelowZero, why } from "../connection/report";
import { badge } from "./badge";

const device = (state: Device["state"]) => ({ state }) as Device;
const path = (rung: Rung | null, silentMs: number | null = null) =>
	({ rung, silentMs, reason: "the best proven path" }) as PathInfo;
const said = (path: PathInfo | null, state: Device["state"] = "live") => {
	const app = { path, device: device(state), refusal: null };
	const { name, tone, silence } = badge(app);
	return `${name} | ${tone} | ${silence} | ${why(app)}`;
};

it("names the path that is used", () => {
	expect(said(path("udp"))).toBe("Direct · UDP | direct |  | The best proven path.");
	expect(said(path("turn-udp"))).toBe("TURN · UDP | relayed |  | The best proven path.");
	expect(said(null)).toMatch(/^Finding a path \| none/);
});

it("says that nothing comes on the path that is used, when it lasts", () => {
	expect(said(path("udp", 700))).toContain("Direct · UDP | direct |  |");
	expect(said(path("udp", 4_200))).toMatch(/^Direct · UDP \| none \| no answer for 4 s \|/);
});

it("has no path to a device that is offline, unless something comes on one", () => {
	expect(said(path("udp", 700), "offline")).toBe(
		"No path: offline | none |  | The device is offline: there is no path to it. This page reconnects by itself.",
	);
	expect(said(path("udp"), "offline")).toBe(
		"Direct · UDP | direct |  | The server does not see the device; this path keeps working without it.",
	);
});

it("has no age below nothing, however little is known of the clocks", () => {
	expect([-5.5, 0, 3, null, undefined].map(notBelowZero)).toEqual([0, 0, 3, null, null]);
});
