// The gateway Worker before the plain MCP server, in workerd. Without ROUTE_SCOPES it has no LATCHKEY_ROUTE_SCOPES.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const { ISSUER, RESOURCE, PORT, ROUTE_SCOPES } = process.env;

const bundle = await build({
  entryPoints: [fileURLToPath(new URL("plain_worker.mjs", import.meta.url))],
  bundle: true,
  format: "esm",
  conditions: ["workerd", "worker", "browser"],
  write: false,
  logLevel: "error",
});
const gateway = `${root}functions/authorizer/build`;
const compatibilityDate = /^compatibility_date = "(.+)"$/m.exec(readFileSync(`${root}wrangler.toml`, "utf8"))[1];
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: Number(PORT),
    cf: false,
    log: new Log(LogLevel.ERROR),
    handleStructuredLogs: ({ message }) => process.stderr.write(`${message}\n`),
    workers: [
      {
        name: "gateway",
        compatibilityDate,
        modulesRoot: gateway,
        modules: [
          { type: "ESModule", path: `${gateway}/index.js` },
          { type: "CompiledWasm", path: `${gateway}/index_bg.wasm` },
        ],
        bindings: {
          LATCHKEY_ISSUER: ISSUER,
          LATCHKEY_RESOURCE: RESOURCE,
          ...(ROUTE_SCOPES ? { LATCHKEY_ROUTE_SCOPES: ROUTE_SCOPES } : {}),
        },
        serviceBindings: { API: "plain" },
      },
      { name: "plain", compatibilityDate, modules: true, script: bundle.outputFiles[0].text },
    ],
  }),
);
await miniflare.ready;
process.stderr.write("ready\n");
