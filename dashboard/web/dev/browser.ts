import { mkdir, readFile } from "node:fs/promises";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { serve } from "./serve";

/** Where pictures go; without it none are made. */
const pictures = process.env.LOOK_DIR;

export const SIZES = { wide: { width: 1440, height: 900 }, phone: { width: 360, height: 780 } };
export const THEMES = ["light", "dark"] as const;
export type Size = keyof typeof SIZES;
export type Theme = (typeof THEMES)[number];

/** Visit is an open scene, with what the browser complained about. */
export interface Visit {
	page: Page;
	complaints: string[];
}

/** Viewer opens scenes in a real browser, from a server that sends the strict policy. */
export class Viewer {
	private constructor(
		private readonly browser: Browser,
		private readonly server: Server,
		private readonly url: string,
	) {}

	static async start(): Promise<Viewer> {
		const browser = await chromium.launch({
			executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
			args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
		});
		const { server, url } = await serve(fileURLToPath(new URL("../node_modules/.look", import.meta.url)));
		if (pictures) await mkdir(pictures, { recursive: true });
		return new Viewer(browser, server, url);
	}

	async stop(): Promise<void> {
		await this.browser.close();
		this.server.close();
	}

	/** visit opens a scene, lets it run for a moment and closes it afterwards. */
	async visit(query: string, options: BrowserContextOptions, look: (visit: Visit) => Promise<void>): Promise<void> {
		const context = await this.browser.newContext(options);
		const page = await context.newPage();
		const complaints: string[] = [];
		page.on("console", (message) => {
			if (["error", "warning"].includes(message.type())) complaints.push(message.text());
		});
		page.on("pageerror", (error) => complaints.push(error.message));
		await page.goto(`${this.url}?scene=${query}`);
		await page.waitForTimeout(900);
		try {
			await look({ page, complaints });
		} finally {
			await context.close();
		}
	}
}

/** picture keeps what is on the page, when somebody wants to look. */
export async function picture(page: Page, name: string): Promise<void> {
	if (pictures) await page.screenshot({ path: `${pictures}/${name}.png` });
}

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** axe is given by the debugging protocol, which no policy of the page restricts. */
export async function violations(page: Page): Promise<string[]> {
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
