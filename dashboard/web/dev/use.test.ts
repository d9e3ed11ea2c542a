import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { picture, SIZES, type Theme, Viewer, type Visit, violations } from "./browser";

let viewer: Viewer;
beforeAll(async () => {
	viewer = await Viewer.start();
});
afterAll(() => viewer?.stop());

const PILL = /\d+ s behind · \d+ new/;

function wide(scene: string, use: (visit: Visit) => Promise<void>, colorScheme: Theme = "dark"): Promise<void> {
	return viewer.visit(scene, { viewport: SIZES.wide, colorScheme, reducedMotion: "reduce" }, async (visit) => {
		await use(visit);
		expect(visit.complaints).toEqual([]);
	});
}

/** plotBox is where a card's plot lies, inside its axes. */
async function plotBox(page: Page, title: string) {
	const box = await page.getByRole("article", { name: title, exact: true }).locator("[data-over]").boundingBox();
	if (box === null) throw new Error(`no plot on the card ${title}`);
	return box;
}

it("Space pauses the picture, not the collecting, and L goes on", () =>
	wide("device", async ({ page }) => {
		const value = page.getByRole("article", { name: "Acceleration" }).locator("[data-value]").first();
		await page.keyboard.press("Space");
		const pill = page.getByText(PILL);
		await pill.waitFor();
		const before = await value.textContent();
		await page.waitForTimeout(1_500);
		const news = Number(/(\d+) new/.exec((await pill.textContent()) ?? "")?.[1]);
		expect(news).toBeGreaterThan(200);
		expect(await value.textContent()).not.toBe(before);
		await picture(page, "use-paused");
		expect(await violations(page)).toEqual([]);
		await page.keyboard.press("l");
		await expect.poll(() => pill.count()).toBe(0);
	}));

it("a drag zooms all charts, a double-click returns", () =>
	wide(
		"device",
		async ({ page }) => {
			const { x, y, width, height } = await plotBox(page, "Acceleration");
			await page.mouse.move(x + width * 0.4, y + height / 2);
			await page.mouse.down();
			await page.mouse.move(x + width * 0.6, y + height / 2, { steps: 4 });
			await picture(page, "use-dragging");
			await page.mouse.up();
			await page.getByText(PILL).waitFor();
			await page.waitForTimeout(300);
			await picture(page, "use-zoomed");
			await page.mouse.dblclick(x + width / 2, y + height / 2);
			await expect.poll(() => page.getByText(PILL).count()).toBe(0);
		},
		"light",
	));

it("Ctrl and wheel zooms, a plain wheel scrolls, Shift and drag pans", () =>
	wide("device", async ({ page }) => {
		const { x, y, width, height } = await plotBox(page, "Processor");
		await page.mouse.move(x + width / 2, y + height / 2);
		await page.mouse.wheel(0, 200);
		await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(100);
		expect(await page.getByText(PILL).count()).toBe(0);
		await page.mouse.wheel(0, -200);
		await expect.poll(() => page.evaluate(() => scrollY)).toBe(0);
		await page.keyboard.down("Control");
		await page.mouse.wheel(0, -200);
		await page.keyboard.up("Control");
		const pill = page.getByText(PILL);
		await pill.waitFor();
		const behind = async () => Number(/^(\d+) s/.exec((await pill.textContent()) ?? "")?.[1]);
		const before = await behind();
		await page.keyboard.down("Shift");
		await page.mouse.down();
		await page.mouse.move(x + width * 0.9, y + height / 2, { steps: 4 });
		await page.mouse.up();
		await page.keyboard.up("Shift");
		await expect.poll(behind).toBeGreaterThan(before + 1);
	}));

it("the crosshair is one for all charts, by mouse and by keyboard", () =>
	wide("device", async ({ page }) => {
		const { x, y, width, height } = await plotBox(page, "Processor");
		await page.mouse.move(x + width * 0.7, y + height / 2);
		const shown = page.locator("[data-crosshair]:visible");
		await expect.poll(() => shown.count()).toBeGreaterThan(3);
		await picture(page, "use-crosshair");
		expect(await violations(page)).toEqual([]);
		await page.mouse.move(5, 5);
		await expect.poll(() => shown.count()).toBe(0);
		await page.getByRole("group", { name: /^Temperature/ }).focus();
		for (let i = 0; i < 5; i++) await page.keyboard.press("Shift+ArrowLeft");
		await expect.poll(() => shown.count()).toBeGreaterThan(3);
		await expect
			.poll(() => page.locator("[aria-live='polite']").last().textContent())
			.toMatch(/Temperature 5\d\.\d °C/);
		await page.keyboard.press("Escape");
		await expect.poll(() => shown.count()).toBe(0);
	}));

it("a click sets a second cursor, and what is read comes with the difference to it", () =>
	wide("device", async ({ page }) => {
		const { x, y, width, height } = await plotBox(page, "Acceleration");
		await page.keyboard.press("Space");
		await page.mouse.click(x + width * 0.3, y + height / 2);
		await page.mouse.move(x + width * 0.6, y + height / 2);
		const card = page.getByRole("article", { name: "Acceleration" });
		await expect.poll(() => card.locator("[data-time]").textContent()).toMatch(/ · Δ \+1[78]\.\d{3} s$/);
		await expect.poll(() => card.locator("[data-delta]").first().textContent()).toMatch(/^[+−]\d+\.\d+ m\/s²$/);
		await picture(page, "use-two-cursors");
		expect(await violations(page)).toEqual([]);
		await page.keyboard.press("Escape");
		await expect.poll(() => page.locator("[data-mark]:visible").count()).toBe(0);
	}));

it("a chart's newest values can be read as a table", () =>
	wide("device", async ({ page }) => {
		await page.getByRole("button", { name: "Acceleration as a table" }).click();
		const rows = page.getByRole("group", { name: "Acceleration: newest values" }).getByRole("row");
		await expect.poll(() => rows.nth(1).textContent()).toMatch(/^\d\d:\d\d:\d\d\.\d{3}\D*-?\d/);
		expect(await rows.count()).toBe(9);
		const first = await rows.nth(1).textContent();
		await expect.poll(() => rows.nth(1).textContent(), { timeout: 3_000 }).not.toBe(first);
		await picture(page, "use-table");
		expect(await violations(page)).toEqual([]);
		await page.getByRole("button", { name: "Acceleration as a table" }).click();
		expect(await rows.count()).toBe(0);
	}));

it("search finds devices and streams", () =>
	wide("device", async ({ page }) => {
		await page.keyboard.press("/");
		await page.keyboard.type("o");
		await picture(page, "use-search");
		expect(await violations(page)).toEqual([]);
		await page.keyboard.press("Control+a");
		await page.keyboard.type("kernel");
		await page.keyboard.press("Enter");
		await expect
			.poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-label")))
			.toMatch(/Kernel log/);
		await page.keyboard.press("/");
		await page.keyboard.type("rover");
		await page.keyboard.press("Enter");
		await expect.poll(() => page.evaluate(() => location.hash)).toMatch(/^#\/d\//);
	}));

it("what a device says stays text", () =>
	wide("device", async ({ page }) => {
		const log = page.getByRole("article", { name: "Kernel log" });
		await log.scrollIntoViewIfNeeded();
		await log.getByText("<b>not bold</b>").first().waitFor();
		expect(await log.locator("b, script").count()).toBe(0);
		await picture(page, "use-log");
	}));

it("a stale stream and a kept value say so in words", () =>
	wide("device", async ({ page }) => {
		await expect.poll(() => page.getByText(/^Stale for \d+ s: last value [\d:.]+$/).count()).toBe(1);
		await page.getByRole("article", { name: "Battery" }).scrollIntoViewIfNeeded();
		await expect.poll(() => page.getByText(/^Kept value, 1 min \d+ s old/).count()).toBe(1);
	}));

it("help, windows, theme and drawer answer to their keys", () =>
	wide("device", async ({ page }) => {
		await page.keyboard.press("?");
		await page.getByRole("heading", { name: "Help and shortcuts" }).waitFor();
		await picture(page, "use-help");
		expect(await violations(page)).toEqual([]);
		await page.keyboard.press("Escape");
		await page.keyboard.press("5");
		expect(await page.getByRole("button", { name: "5 min", exact: true }).getAttribute("aria-pressed")).toBe("true");
		await page.keyboard.press("t");
		expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("light");
		await page.waitForTimeout(400);
		await picture(page, "use-5min");
		await page.keyboard.press("c");
		await expect.poll(() => page.getByRole("complementary").count()).toBe(0);
		await page.waitForTimeout(300);
		await picture(page, "use-no-drawer");
	}));

it("no chart is wider than a window that was narrowed while it was off screen", () =>
	wide("many", async ({ page }) => {
		await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
		await page.waitForTimeout(300);
		await page.keyboard.press("t"); // what is not seen is not drawn anew
		await page.setViewportSize(SIZES.phone);
		await page.waitForTimeout(300);
		const { width } = SIZES.phone;
		const edges = await page
			.locator("[data-over]")
			.evaluateAll((all) => all.map((e) => e.getBoundingClientRect().right));
		expect(edges.filter((right) => right > width)).toEqual([]);
	}));

it("the drawer is a sheet on a phone, and its report can be copied", () =>
	viewer.visit("relay", { viewport: SIZES.phone, colorScheme: "light" }, async ({ page, complaints }) => {
		await page.getByRole("button", { name: /Relay · WebSocket/ }).click();
		await page.getByRole("dialog", { name: "Connection" }).waitFor();
		await page.waitForTimeout(300);
		await picture(page, "use-sheet");
		expect(await violations(page)).toEqual([]);
		await page.evaluate(() => {
			Object.defineProperty(navigator, "clipboard", { value: undefined });
		});
		await page.getByRole("button", { name: "Copy report" }).click();
		const text = page.getByRole("textbox", { name: "Text to copy" });
		expect(await text.inputValue()).toContain("path: ws (the relay carries");
		await text.scrollIntoViewIfNeeded();
		await picture(page, "use-sheet-copy");
		expect(complaints).toEqual([]);
	}));

it("thirty minutes of three 100 Hz streams can be zoomed", () =>
	wide("many&charts=2&history=1800000", async ({ page }) => {
		await page.keyboard.press("3");
		await page.waitForTimeout(1_000);
		await picture(page, "use-30min");
		const { x, y, width, height } = await plotBox(page, "Chart 1");
		await page.mouse.move(x + width * 0.5, y + height / 2);
		await page.mouse.down();
		await page.mouse.move(x + width * 0.505, y + height / 2);
		await page.mouse.move(x + width * 0.52, y + height / 2);
		await page.mouse.up();
		await page.waitForTimeout(400);
		await picture(page, "use-30min-zoomed");
	}));

it("the engine is told when the network has changed", () =>
	wide("device", async ({ page }) => {
		const nudges = () =>
			page.evaluate(() => {
				const { engine } = globalThis as unknown as { engine: { heard: { type: string; changed?: boolean }[] } };
				return engine.heard.filter(({ type }) => type === "nudge").map(({ changed }) => changed);
			});
		expect(await nudges()).toEqual([]);
		await page.context().setOffline(true);
		await page.context().setOffline(false);
		await expect.poll(nudges).toEqual([true, true]);
	}));

it("a token that is refused is asked for anew, with the reason", () =>
	viewer.visit("login", { viewport: SIZES.wide, colorScheme: "dark" }, async ({ page, complaints }) => {
		await page.getByRole("heading", { name: "Log in to telepath" }).waitFor();
		expect(await page.getByRole("alert").textContent()).toBe("");
		await page.getByLabel("Link or token").fill("Bearer wrong");
		await page.keyboard.press("Enter");
		await expect.poll(() => page.getByRole("alert").textContent()).toMatch(/This server wants a token/);
		expect(await page.evaluate(() => localStorage.getItem("telepath.token"))).toBeNull();
		await picture(page, "use-login-refused");
		expect(await violations(page)).toEqual([]);
		expect(complaints.filter((text) => !text.includes("401"))).toEqual([]);
	}));

/** describe has the device say again which streams it has: those of its own that are chosen. */
function describe(page: Page, chosen: "none" | "first of each group" | "all"): Promise<void> {
	return page.evaluate((how) => {
		const { app, engine } = globalThis as unknown as {
			app: { streams: { name: string; meta: { group: string } }[] };
			engine: { listener(message: object): void; all?: typeof app.streams };
		};
		engine.all ??= app.streams;
		const groups = new Set<string>();
		const first = engine.all.filter(({ name, meta }) => {
			const group = meta.group || name;
			return !groups.has(group) && groups.add(group);
		});
		const streams = how === "none" ? [] : how === "all" ? engine.all : first;
		engine.listener({ type: "streams", epoch: "0a1b2c3d", streams });
	}, chosen);
}

it("a device that tells of its streams one after another has the values of all", () =>
	wide("device", async ({ page }) => {
		const card = page.getByRole("article", { name: "Acceleration" });
		const values = card.locator("[data-value]");
		await describe(page, "first of each group");
		await expect.poll(() => card.locator(".legend").count()).toBe(0);
		await describe(page, "all");
		await expect.poll(async () => (await values.allTextContents()).filter((text) => text !== "–").length).toBe(3);
	}));

it("charts outlast a moment without streams, and no longer time", () =>
	wide("device", async ({ page }) => {
		const cards = page.getByRole("article");
		const before = await cards.count();
		await describe(page, "none");
		await page.waitForTimeout(300);
		expect(await cards.count()).toBe(before);
		await describe(page, "all");
		await page.waitForTimeout(2_500);
		expect(await cards.count()).toBe(before);
		await describe(page, "none");
		await page.getByText("This device has no streams yet").waitFor();
	}));
