// Runs plans of the OpenID Foundation's conformance suite against `latchkey dev`. README.md says how to start the suite.
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { approver } from "./approver.mjs";
import { FINDINGS, REVIEWED, SKIPPED } from "./expected.mjs";
import { certificate } from "./front.mjs";
import { Latchkey } from "./latchkey.mjs";
import { PLANS } from "./plans.mjs";
import { Suite } from "./suite.mjs";

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    suite: { type: "string", default: "https://localhost.emobix.co.uk:8443" },
    latchkey: { type: "string", default: "target/debug/latchkey" },
    state: { type: "string", default: ".certification" },
    module: { type: "string", multiple: true },
    list: { type: "boolean", default: false },
  },
});
if (options.list || names.length === 0) {
  console.log(Object.keys(PLANS).join("\n"));
  process.exit(names.length === 0 && !options.list ? 2 : 0);
}
const unknown = names.filter((name) => !PLANS[name]);
if (unknown.length > 0) throw new Error(`unknown plans: ${unknown.join(", ")}; --list shows all`);

const MODULE_TIMEOUT = 600_000;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const suite = new Suite(options.suite);

/** Runs one module to its end. Resolves to { result, findings }. */
async function runModule(plan, module, prepared) {
  const name = module.testModule;
  await prepared.beforeModule?.(name);
  const id = await suite.createModule(plan, module);
  const deadline = Date.now() + MODULE_TIMEOUT;
  let started = false;
  for (;;) {
    const { status, result } = await suite.state(id);
    if (status === "FINISHED" || status === "INTERRUPTED") {
      const log = await suite.log(id);
      const findings = log
        .filter((entry) => entry.result === "FAILURE" || entry.result === "WARNING")
        .map((entry) => ({ condition: entry.src, severity: entry.result, message: entry.msg ?? entry.error ?? "" }));
      return { id, result: status === "INTERRUPTED" ? "INTERRUPTED" : result, findings };
    }
    // A module that waits for the tester, such as the one that needs new keys.
    if (status === "CONFIGURED" && !started) {
      started = true;
      await pause(1000);
      if ((await suite.state(id)).status !== "CONFIGURED") continue;
      await prepared.beforeStart?.(name);
      await suite.startModule(id);
    }
    if (Date.now() > deadline) {
      await suite.cancel(id);
      return { id, result: "TIMEOUT", findings: [] };
    }
    await pause(500);
  }
}

/** True if a row of the expected findings is about this finding. */
const describes = (row, plan, module, finding) =>
  row.plan.some((prefix) => plan.startsWith(prefix)) &&
  row.module === module &&
  row.condition === finding.condition &&
  row.severity === finding.severity;

/** True if a module ended as expected.mjs says. */
function isExpected({ module, result, findings }) {
  if (!findings.every(({ expected }) => expected)) return false;
  switch (result) {
    case "PASSED":
      return true;
    case "WARNING":
    case "FAILED":
      return findings.length > 0;
    case "REVIEW":
      return module in REVIEWED;
    case "SKIPPED":
      return module in SKIPPED;
    default:
      return false;
  }
}

/** Prints the lines of a module. */
function report({ id, module, result, findings, isExpected }) {
  const indent = " ".repeat(14);
  const note = { REVIEW: REVIEWED, SKIPPED }[result]?.[module];
  console.log(`${result.padEnd(11)} ${isExpected ? " " : "!"} ${module}${note ? `: ${note}` : ""}`);
  for (const { severity, condition, message, expected } of findings) {
    console.log(`${indent}${severity} ${condition}: ${expected ? `expected: ${expected}` : message}`);
  }
  if (!isExpected) console.log(`${indent}${options.suite}/log-detail.html?log=${id}`);
}

async function runPlan(name) {
  const { plan, variant, settings = {}, accepts = () => true, prepare } = PLANS[name];
  const state = resolve(options.state);
  const directory = join(state, name);
  mkdirSync(directory, { recursive: true });
  const latchkey = await Latchkey.start({ command: resolve(options.latchkey), directory, settings, identity: certificate(state, "latchkey") });
  let approvals;
  try {
    const modules = await suite.modulesOf(plan);
    const prepared = prepare({ directory, suite: options.suite.replace(/\/$/, ""), latchkey, modules });
    if (prepared.approverClient) approvals = await approver(prepared.approverClient);
    writeFileSync(join(directory, "configuration.json"), JSON.stringify(prepared.configuration, null, 2));
    const created = await suite.createPlan(plan, variant, prepared.configuration);
    const isNamed = ({ testModule }) => !options.module || options.module.some((part) => testModule.includes(part));
    const chosen = created.modules.filter((module) => accepts(module) && isNamed(module));
    const results = [];
    for (const module of chosen) {
      const outcome = await runModule(created.id, module, prepared);
      const reason = (finding) => FINDINGS.find((row) => describes(row, name, module.testModule, finding))?.reason;
      const findings = outcome.findings.map((finding) => ({ ...finding, expected: reason(finding) }));
      const result = { module: module.testModule, variant: module.variant, ...outcome, findings };
      result.isExpected = isExpected(result);
      results.push(result);
      report(result);
    }
    writeFileSync(join(directory, "results.json"), JSON.stringify({ plan, variant, results }, null, 2));
    return results;
  } finally {
    approvals?.close();
    await latchkey.stop();
  }
}

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
console.log(`conformance suite ${await suite.version()} at ${options.suite}`);
const summary = [];
let unexpected = 0;
for (const name of names) {
  console.log(`\n${name}`);
  const results = await runPlan(name);
  if (results.length === 0) throw new Error("no module of this plan has such a name");
  const count = {};
  for (const { result } of results) count[result] = (count[result] ?? 0) + 1;
  unexpected += results.filter((result) => !result.isExpected).length;
  summary.push(`${name.padEnd(48)} ${Object.entries(count).sort().map(([result, number]) => `${number} ${result}`).join(", ")}`);
}
console.log(`\n${summary.join("\n")}`);
console.log(unexpected === 0 ? "no unexpected finding" : `${unexpected} modules with unexpected findings`);
process.exit(unexpected === 0 ? 0 : 1);
