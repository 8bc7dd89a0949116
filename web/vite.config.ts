import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

declare const process: { env: Record<string, string | undefined> };

const edge = process.env["ALPHINTRA_EDGE"] ?? "http://127.0.0.1:8400";

export default defineConfig({
  plugins: [react()],
  build: {
    assetsInlineLimit: 0, // the policy of the page allows no data: scripts, styles or fonts
    target: "es2023",
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": { target: edge, ws: true, changeOrigin: true } } },
});
