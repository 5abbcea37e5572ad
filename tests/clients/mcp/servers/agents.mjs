// The sample for the Agents SDK, in workerd.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";

const { ISSUER, RESOURCE, PORT } = process.env;
const wrangler = readFileSync(new URL("../../../../wrangler.toml", import.meta.url), "utf8");

const bundle = await build({
  entryPoints: [fileURLToPath(new URL("../samples/agents.mjs", import.meta.url))],
  bundle: true,
  format: "esm",
  conditions: ["workerd", "worker", "browser"],
  external: ["cloudflare:*", "node:*"],
  write: false,
  logLevel: "error",
});
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: Number(PORT),
    cf: false,
    log: new Log(LogLevel.ERROR),
    compatibilityDate: /^compatibility_date = "(.+)"$/m.exec(wrangler)[1],
    compatibilityFlags: ["nodejs_compat"],
    modules: true,
    script: bundle.outputFiles[0].text,
    bindings: { ISSUER, RESOURCE },
  }),
);
await miniflare.ready;
