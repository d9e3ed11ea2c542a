// The browser's half of `make soak`: opens a device's page and says every ten seconds how it fares, one JSON object a line:
//
//	node e2e/browser/soak.mjs LOGIN_URL DEVICE --seconds=600

import { readdir, readFile } from "node:fs/promises";
import { goTo, openChromium, parseArguments } from "./chromium.mjs";
import { badgeText, goToDevice, rungOf } from "./page.mjs";

const { positional, options } = parseArguments(process.argv.slice(2));
const [url, device] = positional;
const every = 10; // seconds

/** Runs in the page: counts frames and samples, the latter as they cross the Worker's port. */
function count() {
	window.soak = { frames: 0, longest: 0, samples: 0 };
	let before = 0;
	const frame = (now) => {
		if (before > 0) window.soak.longest = Math.max(window.soak.longest, now - before);
		before = now;
		window.soak.frames++;
		requestAnimationFrame(frame);
	};
	requestAnimationFrame(frame);
	const Native = window.Worker;
	window.Worker = class extends Native {
		constructor(...args) {
			super(...args);
			this.addEventListener("message", ({ data }) => {
				if (data?.type !== "samples") return;
				for (const part of data.parts) window.soak.samples += part.n;
			});
		}
	};
}

// So high that all charts are in sight: those out of sight are not drawn, and that would be too easy.
const { page, context, close } = await openChromium({ height: 3200 });
await page.addInitScript(badgeText);
await page.addInitScript(count);
await goTo(page, url);
await goToDevice(page, device);
const devtools = await context.newCDPSession(page);

/** Seconds of processor time that the browser and its children, which are this program's, have used. */
async function processorSeconds() {
	const ticks = 100; // a second, on every Linux there is
	const processes = new Map();
	for (const pid of await readdir("/proc")) {
		if (!/^\d+$/.test(pid)) continue;
		try {
			const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1].split(" ");
			processes.set(Number(pid), { parent: Number(fields[1]), used: (Number(fields[11]) + Number(fields[12])) / ticks });
		} catch {
			// it ended meanwhile
		}
	}
	const ours = (pid) => pid === process.pid || (processes.has(pid) && ours(processes.get(pid).parent));
	let sum = 0;
	for (const [pid, { used }] of processes) if (pid !== process.pid && ours(pid)) sum += used;
	return sum;
}

/** The page's heap after a collection, and the memory behind its typed arrays. */
async function heap() {
	await devtools.send("HeapProfiler.collectGarbage");
	const { usedSize, backingStorageSize } = await devtools.send("Runtime.getHeapUsage");
	return { heap_mb: usedSize / 1e6, arrays_mb: (backingStorageSize ?? 0) / 1e6 };
}

const begin = Date.now();
await page.waitForTimeout(5000); // the path settles
while (Date.now() - begin < Number(options.seconds ?? 600) * 1000) {
	const cpu = await processorSeconds();
	const started = Date.now();
	await page.evaluate(() => Object.assign(window.soak, { frames: 0, longest: 0, samples: 0 }));
	await page.waitForTimeout(every * 1000);
	const seen = await page.evaluate(() => ({ ...window.soak, charts: document.querySelectorAll(".uplot").length, badge: window.findBadge() }));
	const seconds = (Date.now() - started) / 1000;
	const used = (await processorSeconds()) - cpu;
	const memory = await heap(); // after the interval: the collection itself costs frames
	console.log(
		JSON.stringify({
			second: (Date.now() - begin) / 1000,
			fps: seen.frames / seconds,
			longest_ms: seen.longest,
			...memory,
			cpu_percent: (100 * used) / seconds,
			samples: seen.samples / seconds,
			charts: seen.charts,
			path: rungOf(seen.badge) ?? seen.badge,
		}),
	);
}
await close();
