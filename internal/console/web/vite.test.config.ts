// Bundles the tests of modules for `node --test`, which does not read TypeScript.

import { readdirSync } from "node:fs";
import { defineConfig } from "vite";

const tests = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".test.ts"));

export default defineConfig({
	build: {
		ssr: true,
		target: "node20",
		copyPublicDir: false,
		rolldownOptions: { input: Object.fromEntries(tests.map((name) => [name.replace(/\W/g, "-").replace(/-ts$/, ""), `src/${name}`])), output: { entryFileNames: "[name].mjs" } },
	},
});
