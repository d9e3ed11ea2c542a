// What these scripts know of the page: how to get to a device, where the badge is, what its words mean. Found by role and
// text, as a person finds it.

/** The badge's words for the rungs (dashboard/web has the same table for people). */
const rungs = {
	"Direct · UDP": "udp",
	"TURN · UDP": "turn-udp",
	"Relay · UDP": "relay-udp",
	"Direct · TCP": "tcp",
	"TURN · TCP": "turn-tcp",
	"TURN · TLS": "turn-tls",
	"Relay · TCP": "relay-tcp",
	"Relay · WebSocket": "ws",
	"Relay · event stream": "sse",
	"Relay · long polling": "poll",
};

/** The rung that a badge's text names; undefined where it names none. */
export function rungOf(text) {
	const known = Object.keys(rungs).find((words) => text.startsWith(words));
	return known && rungs[known];
}

/** Handed to addInitScript: defines how the tap finds the badge. */
export function badgeText() {
	window.findBadge = () => {
		for (const button of document.querySelectorAll("button[aria-expanded]")) {
			const text = button.textContent.replace(/\s+/g, " ").trim();
			if (/^(Direct|Relay|TURN|No path|Finding)/.test(text)) return text;
		}
		return "";
	};
}

/** From the page behind the login URL to a device's page, and until the badge is there. */
export async function goToDevice(page, device, timeout = 20_000) {
	await page.getByRole("link", { name: device }).first().click({ timeout });
	await page.waitForFunction(() => window.findBadge() !== "", undefined, { timeout });
}

/** What the badge's drawer says; it is open afterwards. */
export async function drawerText(page) {
	const badge = page.locator("button[aria-expanded]").filter({ hasText: /^\s*(Direct|Relay|TURN|No path|Finding)/ });
	if ((await badge.getAttribute("aria-expanded")) !== "true") await badge.click();
	const drawer = page.locator("[aria-labelledby='drawer-title']");
	return (await drawer.innerText({ timeout: 5_000 })).replace(/\s+/g, " ");
}

/** What the drawer says of the network when a person has it checked. */
export async function networkText(page) {
	await drawerText(page);
	const section = page.locator("section[aria-labelledby='network-title']");
	await section.getByRole("button").click();
	await section.getByRole("button", { name: "Check again", disabled: false }).waitFor({ timeout: 20_000 });
	return (await section.innerText()).replace(/\s+/g, " ");
}

/** The texts of the entries that the page's logs show, oldest first. */
export async function logLines(page) {
	return page.locator("ol[aria-label*='entries'] li > span").allTextContents();
}
