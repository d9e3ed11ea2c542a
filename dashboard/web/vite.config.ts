import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

/**
 * `base: "./"` makes every address relative, so that the server may hand the
 * page out under any path prefix. The outcome goes where Go embeds it.
 */
export default defineConfig({
	base: "./",
	plugins: [svelte(), keepPlaceholder()],
	worker: { format: "es" },
	// The table of failures is Go's, too, and lies beside the code that reads it there.
	server: { fs: { allow: [".", "../../peer/carrier"] } },
	build: {
		outDir: "../dist",
		emptyOutDir: true,
		target: "es2022",
		// The page's policy allows no inline script: no preload helper, no data URLs.
		modulePreload: { polyfill: false },
		assetsInlineLimit: 0,
	},
	test: {
		include: ["src/**/*.test.ts"],
		environment: "node",
		// Node has a WebSocket client from 22 on, and behind a flag before: the carriers' contract needs one.
		execArgv: typeof WebSocket === "undefined" ? ["--experimental-websocket"] : [],
	},
});

/** Emptying dist would remove the tracked file that keeps the folder in a clone. */
function keepPlaceholder() {
	return {
		name: "keep-placeholder",
		generateBundle(this: { emitFile: (file: object) => void }) {
			this.emitFile({ type: "asset", fileName: ".keep", source: "" });
		},
	};
}
