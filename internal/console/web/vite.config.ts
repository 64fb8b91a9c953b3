import { defineConfig } from "vite";

// NETMETA_API is where `vite` in development finds a running console.
const api = process.env.NETMETA_API ?? "http://127.0.0.1:8080";

export default defineConfig({
	base: "/",
	server: { proxy: { "/api": api, "/-": api } },
	build: {
		outDir: "dist",
		target: "es2022",
		// The polyfill would be an inline script of sorts; browsers of es2022 need none.
		modulePreload: { polyfill: false },
		// A data: URL is content that the Content-Security-Policy refuses.
		assetsInlineLimit: 0,
		reportCompressedSize: false,
		chunkSizeWarningLimit: 700,
		rolldownOptions: {
			output: {
				// One file per library that only some pages need, so that an update of
				// the page leaves the large files in browsers' caches.
				codeSplitting: {
					groups: [
						{ name: "echarts", test: /node_modules\/(echarts|zrender|tslib)\// },
						{ name: "codemirror", test: /node_modules\/(@codemirror|@lezer|@marijn|style-mod|crelt|w3c-keyname)\// },
					],
				},
			},
		},
	},
});
