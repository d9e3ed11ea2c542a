// Starts Debian's Chromium, headless, without anything that would reach for the outside, and opens a page that reports
// what its Worker hands it. playwright-core is the dashboard's own, so that there is one version of it in the project.

import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(new URL("../../dashboard/web/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const quiet = [
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
];

/** What playwright wants to know of a proxy. User and password of the URL are its answer to 407. */
function proxyOf(url) {
	if (!url) return undefined;
	const { protocol, host, username, password } = new URL(url);
	return {
		server: `${protocol}//${host}`,
		...(username && { username: decodeURIComponent(username), password: decodeURIComponent(password) }),
	};
}

const isAlive = (pid) => {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
};

/** Whoever is killed leaves its profile: the next one takes it away, a minute later, when its browser is gone as well. */
async function sweep() {
	for (const name of await readdir(tmpdir())) {
		const owner = /^telepath-chromium-(\d+)-/.exec(name)?.[1];
		if (owner === undefined || isAlive(Number(owner))) continue;
		const profile = join(tmpdir(), name);
		const touched = await stat(profile).catch(() => null); // another one may sweep, too
		if (touched && Date.now() - touched.mtimeMs > 60_000) await rm(profile, { recursive: true, force: true }).catch(() => {});
	}
}

/** Opens a browser with a fresh profile; `close` takes both away. */
export async function openChromium({ width = 1440, height = 900, dark = false, proxy = "", args = [] } = {}) {
	await sweep();
	const profile = await mkdtemp(join(tmpdir(), `telepath-chromium-${process.pid}-`));
	const context = await chromium.launchPersistentContext(profile, {
		executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
		headless: true,
		args: [...quiet, ...args],
		proxy: proxyOf(proxy),
		viewport: { width, height },
		colorScheme: dark ? "dark" : "light",
	});
	const close = async () => {
		await context.close().catch(() => {}); // it may be gone already
		await rm(profile, { recursive: true, force: true, maxRetries: 5 });
	};
	return { page: context.pages()[0] ?? (await context.newPage()), context, close };
}

/** A browser that has just started has both processors to do with itself: what is measured is a page in one that is there. */
export const settled = (page) =>
	page.evaluate(async () => {
		for (let calm = 0, turns = 0; calm < 10 && turns < 100; turns++) {
			const began = performance.now();
			await new Promise((done) => setTimeout(done, 50));
			calm = performance.now() - began < 60 ? calm + 1 : 0;
		}
	});

/**
 * goTo opens a page. Chromium breaks off what it loads when the network becomes another one, and that it does in a laboratory a
 * second or two old: its IPv6 addresses have just turned out to be nobody else's (RFC 4862, section 5.4). A tab would load again by itself.
 */
export async function goTo(page, url) {
	try {
		await page.goto(url);
	} catch (error) {
		if (!String(error).includes("ERR_NETWORK_CHANGED")) throw error;
		await page.goto(url);
	}
}

/** Options of the form --name=value after the positional arguments. */
export function parseArguments(argv) {
	const positional = argv.filter((a) => !a.startsWith("--"));
	const options = Object.fromEntries(
		argv.filter((a) => a.startsWith("--")).map((a) => {
			const [name, ...rest] = a.slice(2).split("=");
			return [name, rest.length > 0 ? rest.join("=") : true];
		}),
	);
	return { positional, options };
}
