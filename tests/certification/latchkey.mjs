// `latchkey dev` behind a TLS front, and the commands that register clients and users.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { call } from "./call.mjs";
import { front } from "./front.mjs";

// The first of the ports. Runs with other ports can use the same suite at the same time.
const FIRST = Number(process.env.CERTIFICATION_PORT ?? 9000);
export const PORTS = { plain: FIRST, tls: FIRST + 443, mtls: FIRST + 444, approver: FIRST + 500 };
export const ISSUER = `https://localhost:${PORTS.tls}`;
export const MTLS = `https://localhost:${PORTS.mtls}`;
// The password of every user that the runner makes.
export const PASSWORD = "seven brass kettles 7";

export class Latchkey {
  static async start({ command, directory, settings, identity }) {
    const latchkey = new Latchkey();
    latchkey.command = command;
    latchkey.data = join(directory, `data-${PORTS.plain}`);
    rmSync(latchkey.data, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    const log = openSync(join(directory, "latchkey.log"), "w");
    latchkey.process = spawn(
      command,
      ["dev", "--port", String(PORTS.plain), `--mtls=${PORTS.mtls}`, "--data", latchkey.data, "--threads", "2"],
      { stdio: ["ignore", log, log], env: { ...process.env, LATCHKEY_ISSUER: ISSUER, ...settings } },
    );
    process.once("exit", () => latchkey.process.kill());
    latchkey.front = await front({ port: PORTS.tls, target: PORTS.plain, identity });
    const discovery = `${ISSUER}/.well-known/openid-configuration`;
    for (let attempt = 0; ; attempt++) {
      if (latchkey.process.exitCode !== null || attempt === 100) throw new Error(`latchkey dev does not start: see ${directory}/latchkey.log`);
      const answer = await call(discovery).catch(() => undefined);
      if (answer?.status === 200) return latchkey;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Runs a command of the administration. */
  run(words, input = "") {
    const deployment = ["--url", `http://localhost:${PORTS.plain}`, "--issuer", ISSUER, "--data", this.data];
    const result = spawnSync(this.command, [...words, ...deployment], { input, encoding: "utf8" });
    if (result.status !== 0) throw new Error(`latchkey ${words.join(" ")}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  }

  /** Registers a client with this metadata. */
  client(id, metadata) {
    this.run(["client", "add", "--json", "--id", id, "--file", "-"], JSON.stringify(metadata));
  }

  user(name) {
    this.run(["user", "add", "--json", name, "--claim", `name=${name}`, "--claim", `email=${name}@example.com`], `${PASSWORD}\n`);
  }

  async stop() {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGINT");
    this.front.closeAllConnections();
    this.front.close();
    await ended;
  }
}
