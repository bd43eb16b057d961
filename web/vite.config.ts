import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// The server of `simpar dashboard`, for `npm run dev`: start it with `--port 8787` beside.
const SERVER = process.env.SIMPAR_SERVER ?? "http://127.0.0.1:8787";

export default defineConfig({
  base: "./", // pages have one segment, so relative addresses work behind any prefix
  plugins: [svelte()],
  build: {
    outDir: "../simpar/dashboard/static",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy allows no data: addresses
    modulePreload: { polyfill: false },
    sourcemap: false,
    target: "es2022",
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": SERVER } },
  test: { include: ["tests/**/*.test.ts"], environment: "node", css: true },
});
