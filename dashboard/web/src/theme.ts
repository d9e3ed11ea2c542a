/** Theme is the reader's choice; "system" follows the computer's. */
export type Theme = "system" | "light" | "dark";

const KEY = "telepath.theme";
const ORDER: readonly Theme[] = ["system", "light", "dark"];

/** storedTheme is the choice of an earlier visit. */
export function storedTheme(): Theme {
	try {
		const value = localStorage.getItem(KEY);
		return ORDER.find((theme) => theme === value) ?? "system";
	} catch {
		return "system"; // private windows may refuse
	}
}

export function nextTheme(theme: Theme): Theme {
	return ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length] ?? "system";
}

/** applyTheme shows a theme and remembers it. */
export function applyTheme(theme: Theme): void {
	if (theme === "system") delete document.documentElement.dataset.theme;
	else document.documentElement.dataset.theme = theme;
	try {
		localStorage.setItem(KEY, theme);
	} catch {
		// It then lasts as long as the page.
	}
}

/** onThemeChange calls back when colours change, by choice or by the computer's. */
export function onThemeChange(changed: () => void): () => void {
	const system = matchMedia("(prefers-color-scheme: dark)");
	const choice = new MutationObserver(changed);
	choice.observe(document.documentElement, { attributeFilter: ["data-theme"] });
	system.addEventListener("change", changed);
	return () => {
		choice.disconnect();
		system.removeEventListener("change", changed);
	};
}
