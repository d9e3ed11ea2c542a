import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { picture, SIZES, type Size, THEMES, Viewer, violations } from "./browser";

const only = process.env.LOOK_SCENES?.split(",");

const SCENES = [
	"device",
	"relay",
	"machine",
	"many",
	"control",
	"driving",
	"held",
	"stopped",
	"on-page",
	"home",
	"empty",
	"connecting",
	"unreachable",
	"refused-link",
	"silent",
	"lost",
	"login",
	"opening",
	"unknown",
	"ambiguous",
	"offline",
].filter((name) => only === undefined || only.includes(name));

let viewer: Viewer;

beforeAll(async () => {
	viewer = await Viewer.start();
});

afterAll(() => viewer?.stop());

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
