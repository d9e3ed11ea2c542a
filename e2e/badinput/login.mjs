// Pastes the lines of standard input, JSON strings, one after the other into the login page, and says what the page shows then:
//
//	node e2e/badinput/login.mjs URL
//
// Each answer is a line {n, address, text, kept}: n counts from 1, kept is what the browser stores.

import { createInterface } from "node:readline";
import { goTo, openChromium } from "../browser/chromium.mjs";

const { page, close } = await openChromium();
await goTo(page, process.argv[2]);
const field = page.locator("#token");
const button = page.getByRole("button", { name: "Log in" });
await field.waitFor();
let n = 0;
for await (const line of createInterface({ input: process.stdin })) {
	await field.fill(JSON.parse(line));
	await button.click();
	await page.waitForFunction(() => !document.querySelector("#token") || /Code: /.test(document.body.innerText));
	const said = await page.evaluate(() => ({
		address: location.href,
		text: document.body.innerText,
		kept: JSON.stringify({ ...localStorage, ...sessionStorage }),
	}));
	process.stdout.write(`${JSON.stringify({ n: ++n, ...said })}\n`);
	if ((await field.count()) === 0) break;
	await field.fill("");
}
await close();
