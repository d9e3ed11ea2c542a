// Opens a device that calls everything it has by hostile names, and says what the page did with them, one JSON object a line:
//
//	node e2e/badinput/hostile.mjs LOGIN_URL DEVICE [--shot=FILE.png]
//
// `error` for an alert, an error on the console, a broken policy; `found` for the elements, and the characters, that a device
// must not bring into a page; `text` for what a person reads there.

import { goTo, openChromium, parseArguments } from "../browser/chromium.mjs";
import { badgeText, goToDevice } from "../browser/page.mjs";

const { positional, options } = parseArguments(process.argv.slice(2));
const [url, device] = positional;
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

const { page, close } = await openChromium();
page.on("dialog", async (dialog) => {
	say({ type: "error", text: `dialog: ${dialog.message()}` });
	await dialog.dismiss();
});
page.on("pageerror", (error) => say({ type: "error", text: String(error.stack ?? error) }));
page.on("console", (message) => {
	if (["error", "warning"].includes(message.type())) say({ type: "error", text: message.text() });
});
page.on("request", (request) => {
	if (new URL(request.url()).host !== new URL(url).host) say({ type: "error", text: `request to ${request.url()}` });
});
await page.exposeFunction("violated", (text) => say({ type: "error", text }));
await page.addInitScript(badgeText);
await page.addInitScript(() => {
	document.addEventListener("securitypolicyviolation", (e) => window.violated(`${e.violatedDirective}: ${e.blockedURI} ${e.sample}`));
});

/** What a device brought into the page, other than plain text. */
function brought() {
	const links = ["href", "src", "action", "formaction", "xlink:href"];
	const hostile = ({ name, value }) =>
		name.startsWith("on") || value === "hostile" || (links.includes(name) && /^\s*javascript:/i.test(value));
	const marked = [...document.querySelectorAll("*")].filter((e) =>
		e.localName === "script" ? !e.src : [...e.attributes].some(hostile),
	);
	const all = [document.title, document.body.innerText, ...[...document.querySelectorAll("*")].flatMap((e) => [...e.attributes].map((a) => a.value))];
	const odd = [...new Set(all.join("").match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu) ?? [])].filter((c) => !"\n\t\r".includes(c));
	return [...marked.map((e) => e.outerHTML.slice(0, 200)), ...odd.map((c) => `U+${c.codePointAt(0).toString(16)}`)];
}

async function look(where) {
	for (const what of await page.evaluate(brought)) say({ type: "found", where, text: what });
	say({ type: "text", where, text: await page.evaluate(() => document.body.innerText) });
}

try {
	await goTo(page, url);
	await page.getByRole("link", { name: device }).first().waitFor();
	await look("list");
	await goToDevice(page, device);
	await page.waitForTimeout(2500); // values come, charts are drawn, logs fill
	await look("device");
	await page.locator("button[aria-expanded]").first().click();
	await page.waitForTimeout(500);
	await look("drawer");
	if (options.shot) await page.screenshot({ path: options.shot, fullPage: true });
} catch (error) {
	say({ type: "error", text: String(error) });
}
await close();
