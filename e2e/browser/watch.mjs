// Watches one device in a real Chromium and says what the page is handed and shows, one JSON object a line:
//
//	node e2e/browser/watch.mjs LOGIN_URL DEVICE [--width=360] [--dark] [--shot=FILE.png] [--proxy=URL] [--hands] [--args=--flag,--flag]
//
// `open` when it begins to open the page, `ready` when the device's page is there; `path` when the badge names another rung;
// `sample` and `gap` as the Worker handed them to the page; `error` for whatever the page reports as one. The end of standard
// input is the end of it. With --hands somebody uses the page who judges by something else: no `sample`s, and a game pad of hand.mjs can
// be plugged in. With TELEPATH_DEBUG in the environment also `debug`: what the Worker says for whoever looks for a fault. On the way, a line "shot FILE.png" takes a screenshot, "log" asks for the entries that the page's
// logs show: `log`, "drawer" for what the badge's drawer says: `drawer`, "network" for what it finds out of the network: `network`, "control" for what it says of control: `control`, a verb of hand.mjs does what a
// person does (`does` before, `did` after it), and "reload" loads the page again: `reload`, then
// `load` when the new document begins, `ready` again when the device's page is there.

import { createInterface } from "node:readline";
import { goTo, openChromium, parseArguments, settled } from "./chromium.mjs";
import { controlText, handVerbs, obey } from "./hand.mjs";
import { noteInputs } from "./input.mjs";
import { fakePads } from "./pad.mjs";
import { badgeText, drawerText, goToDevice, logLines, networkText, rungOf } from "./page.mjs";
import { tap } from "./tap.mjs";

const { positional, options } = parseArguments(process.argv.slice(2));
const [url, device] = positional;

const debugging = process.env.TELEPATH_DEBUG !== undefined;

const say = (event) => process.stdout.write(`${JSON.stringify({ at_ms: Date.now(), ...event })}\n`);

const { page, context, close } = await openChromium({
	width: Number(options.width ?? 1440),
	height: Number(options.height ?? 500), // what is not seen is not drawn: that is most of what a browser costs here
	dark: options.dark === true,
	proxy: options.proxy ?? "",
	args: options.args ? options.args.split(",") : [],
});

let rung;
await page.exposeFunction("report", (events) => {
	for (const event of events) {
		if (event.type !== "badge") {
			say(event);
			continue;
		}
		const now = rungOf(event.text);
		if (now !== rung) say({ ...event, type: "path", path: now ?? "", reason: event.text });
		rung = now;
	}
});
page.on("pageerror", (error) => say({ type: "error", text: String(error.stack ?? error) }));
page.on("console", (message) => {
	if (message.type() === "error") say({ type: "error", text: message.text() });
	if (debugging && message.type() === "debug") say({ type: "debug", text: message.text() });
});
if (debugging) await page.addInitScript(() => localStorage.setItem("telepathDebug", "1"));
await page.addInitScript(badgeText);
await page.addInitScript(tap, { samples: options.hands !== true });
if (options.hands) {
	await page.addInitScript(fakePads);
	await page.addInitScript(noteInputs);
}

const quit = async (code) => {
	await close();
	process.exit(code);
};
process.on("SIGTERM", () => quit(0));

try {
	await settled(page);
	say({ type: "open", text: url });
	await goTo(page, url);
	await goToDevice(page, device);
	say({ type: "ready", text: page.url() });
} catch (error) {
	say({ type: "error", text: String(error) });
	if (options.shot) await page.screenshot({ path: options.shot });
	await quit(1);
}

const hand = await handVerbs(page, context);

for await (const line of createInterface({ input: process.stdin })) {
	const [verb, file] = line.split(" ");
	await obey(hand, line, say);
	if (verb === "shot") {
		await page.screenshot({ path: file });
		say({ type: "shot", text: file });
	}
	if (verb === "reload") {
		say({ type: "reload" });
		await page.reload();
		await page.waitForFunction(() => window.findBadge() !== "");
		say({ type: "ready", text: page.url() });
	}
	if (verb === "log") say({ type: "log", lines: await logLines(page) });
	if (verb === "drawer") say({ type: "drawer", text: await drawerText(page) });
	if (verb === "control") say({ type: "control", text: await controlText(page) });
	if (verb === "network") say({ type: "network", text: await networkText(page) });
}
if (options.shot) await page.screenshot({ path: options.shot });
await quit(0);
