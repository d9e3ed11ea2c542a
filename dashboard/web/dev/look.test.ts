import { mkdir, readFile } from "node:fs/promises";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serve } from "./serve";

/** Where pictures go; without it none are made. */
const pictures = process.env.LOOK_DIR;
const only = process.env.LOOK_SCENES?.split(",");

const SCENES = [
	"device",
	"relay",
	"many",
	"home",
	"empty",
	"connecting",
	"unreachable",
	"lost",
	"login",
	"opening",
	"unknown",
	"ambiguous",
	"offline",
].filter((name) => only === undefined || only.includes(name));
const SIZES = { wide: { width: 1440, height: 900 }, phone: { width: 360, height: 780 } };
const THEMES = ["light", "dark"] as const;

let browser: Browser;
let server: Server;
let url: string;
let axe: string;

beforeAll(async () => {
	browser = await chromium.launch({
		executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
		args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
	});
	({ server, url } = await serve(fileURLToPath(new URL("../node_modules/.look", import.meta.url))));
	axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
	if (pictures) await mkdir(pictures, { recursive: true });
});

afterAll(async () => {
	await browser?.close();
	server?.close();
});

/** withPage opens a scene and hands over what the browser complained about. */
async function withPage(
	scene: string,
	theme: (typeof THEMES)[number],
	size: keyof typeof SIZES,
	look: (page: Page, complaints: string[]) => Promise<void>,
): Promise<void> {
	const context = await browser.newContext({ viewport: SIZES[size], colorScheme: theme });
	const page = await context.newPage();
	const complaints: string[] = [];
	page.on("console", (message) => {
		if (["error", "warning"].includes(message.type())) complaints.push(message.text());
	});
	page.on("pageerror", (error) => complaints.push(error.message));
	await page.goto(`${url}?scene=${scene}`);
	await page.waitForTimeout(900);
	try {
		await look(page, complaints);
	} finally {
		await context.close();
	}
}

/** axe is given by the debugging protocol, which no policy of the page restricts. */
async function violations(page: Page): Promise<string[]> {
	await page.evaluate(axe);
	return page.evaluate(async () => {
		interface Result {
			violations: { id: string; nodes: { target: string[]; failureSummary?: string }[] }[];
		}
		const { axe } = globalThis as unknown as { axe: { run(): Promise<Result> } };
		const result = await axe.run();
		return result.violations.flatMap(({ id, nodes }) =>
			nodes.map((node) => `${id}: ${node.target.join(" ")} (${node.failureSummary ?? ""})`),
		);
	});
}

describe.each(SCENES)("%s", (scene) => {
	describe.each(THEMES)("%s", (theme) => {
		it.each(Object.keys(SIZES) as (keyof typeof SIZES)[])("%s is sound", async (size) => {
			await withPage(scene, theme, size, async (page, complaints) => {
				if (pictures) await page.screenshot({ path: `${pictures}/${scene}-${size}-${theme}.png` });
				expect(await page.getByText("This page has a fault").count()).toBe(0);
				expect(complaints).toEqual([]);
				expect(await violations(page)).toEqual([]);
				const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
				expect(overflow).toBeLessThanOrEqual(0);
			});
		});
	});
});
