import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { picture, SIZES, type Size, THEMES, Viewer } from "./browser";

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

let viewer: Viewer;
let axe: string;

beforeAll(async () => {
	viewer = await Viewer.start();
	axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
});

afterAll(() => viewer?.stop());

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
		it.each(Object.keys(SIZES) as Size[])("%s is sound", async (size) => {
			await viewer.visit(scene, { viewport: SIZES[size], colorScheme: theme }, async ({ page, complaints }) => {
				await picture(page, `${scene}-${size}-${theme}`);
				expect(await page.getByText("This page has a fault").count()).toBe(0);
				expect(complaints).toEqual([]);
				expect(await violations(page)).toEqual([]);
				const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
				expect(overflow).toBeLessThanOrEqual(0);
			});
		});
	});
});
