// Debian's Chromium, driven by playwright-core; what the tests share.
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--hide-scrollbars",
  "--font-render-hinting=none",
];

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Starts the browser; CHROMIUM names another executable. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: FLAGS,
    env: { ...process.env, FONTCONFIG_FILE: fileURLToPath(new URL("fonts.conf", import.meta.url)) },
  });
}

/**
 * Opens a page in a fresh context. `problems` collects what must not happen: uncaught exceptions, and errors on the console,
 * among them each violation of the content security policy.
 */
export async function open(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1200, height: 800 },
    deviceScaleFactor: process.env.PICTURES ? 2 : 1,
    ...options,
  });
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  return { context, page, problems };
}

/** Runs axe on the page as it is; fails with the rule and the elements of each violation. */
export async function assertAccessible(page, what) {
  // In a world of its own, so that the page's policy does not refuse the script.
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id });
  const evaluate = async (expression) => {
    const answer = await session.send("Runtime.evaluate", {
      expression,
      contextId: executionContextId,
      awaitPromise: true,
      returnByValue: true,
    });
    assert.equal(answer.exceptionDetails, undefined, `${what}: axe did not run`);
    return answer.result.value;
  };
  await evaluate(`${AXE};undefined`);
  const violations = await evaluate(
    `axe.run(document).then((r) => r.violations.map((v) => v.id + ": " + v.help + "\\n  " + v.nodes.map((n) => n.target.join(" ") + " " + (n.failureSummary ?? "")).join("\\n  ")))`,
  );
  await session.detach();
  assert.deepEqual(violations, [], `${what}: accessibility`);
}

/** Takes a picture if PICTURES names a directory. */
export async function picture(page, name, options = {}) {
  const directory = process.env.PICTURES;
  if (!directory) return;
  await mkdir(directory, { recursive: true });
  await page.screenshot({ path: path.join(directory, `${name}.png`), animations: "disabled", ...options });
}
