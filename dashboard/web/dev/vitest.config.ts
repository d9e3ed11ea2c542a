import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Looks at every view in a real browser, one page after another. */
export default defineConfig({
	root: fileURLToPath(new URL(".", import.meta.url)),
	test: { include: ["*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false },
});
