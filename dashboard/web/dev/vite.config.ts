import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

/** The views with made-up data, for looking at them: `npm run look`, then /?scene=NAME. Never part of the product. */
export default defineConfig({
	root: fileURLToPath(new URL(".", import.meta.url)),
	base: "./",
	plugins: [svelte({ configFile: fileURLToPath(new URL("../svelte.config.js", import.meta.url)) })],
	build: {
		outDir: "../node_modules/.look",
		emptyOutDir: true,
		modulePreload: { polyfill: false },
		assetsInlineLimit: 0,
	},
});
