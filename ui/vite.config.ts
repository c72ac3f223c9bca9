/// <reference types="vitest/config" />
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  // Relative, so that the pages work behind any path prefix.
  base: "./",
  resolve: { alias: { hysnappy: fileURLToPath(new URL("src/lib/artifacts/snappy.ts", import.meta.url)) } },
  build: {
    outDir: "../src/runyard/server/ui",
    emptyOutDir: true,
    target: "es2022",
    // The page's policy lets it load what has an address of the server, and no data: address as a script or a style.
    assetsInlineLimit: 0,
    // A later page is an import away; asking for its parts early would be a script that the policy has to name.
    modulePreload: { polyfill: false },
  },
  server: {
    // `npm run dev` beside `runyard server`, or beside the one that RUNYARD_URL names.
    proxy: Object.fromEntries(
      [
        "/api",
        "/ajax-api",
        "/get-artifact",
        "/model-versions",
        "/readyz",
        "/version",
        "/docs",
        "/static",
        "/openapi.json",
      ].map((path) => [path, process.env.RUNYARD_URL ?? "http://127.0.0.1:5000"]),
    ),
  },
  test: {
    environment: "happy-dom",
    setupFiles: ["src/testing/setup.ts"],
  },
});
