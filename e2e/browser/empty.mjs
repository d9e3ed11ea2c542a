// A page with nothing but a place for a thumb, in a real Chromium, which somebody uses by the verbs of hand.mjs, one a line: what the
// browser itself takes until a page is called. Says `ready`, and `does` and `did` of each verb. The end of standard input is its end.
//
//	node e2e/browser/empty.mjs

import { createInterface } from "node:readline";
import { openChromium, settled } from "./chromium.mjs";
import { handVerbs, obey } from "./hand.mjs";
import { noteInputs } from "./input.mjs";

const say = (event) => process.stdout.write(`${JSON.stringify({ at_ms: Date.now(), ...event })}\n`);

const { page, context, close } = await openChromium({ height: 500 });
process.on("SIGTERM", () => close().then(() => process.exit(0)));
await page.addInitScript(noteInputs);
await settled(page);
await page.goto('data:text/html,<body><div data-stick style="width:200px;height:200px;touch-action:none"></div>');
say({ type: "ready" });
const hand = await handVerbs(page, context);
for await (const line of createInterface({ input: process.stdin })) await obey(hand, line, say);
await close();
