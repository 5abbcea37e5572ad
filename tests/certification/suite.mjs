// The REST API of the conformance suite.
import { call } from "./call.mjs";

export class Suite {
  constructor(url) {
    this.url = url.replace(/\/$/, "");
  }

  async #json(path, { method = "GET", body, ...query } = {}) {
    const url = new URL(`${this.url}/api/${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, typeof value === "string" ? value : JSON.stringify(value));
    const headers = { "content-type": "application/json" };
    const answer = await call(url, { method, headers, body: body && JSON.stringify(body) });
    if (answer.status >= 300) throw new Error(`${method} ${url.pathname}: ${answer.status} ${answer.text.slice(0, 400)}`);
    return answer.text ? JSON.parse(answer.text) : undefined;
  }

  async version() {
    return (await this.#json("server")).version;
  }

  /** Resolves to the names of all modules of a plan, whatever its variant. */
  async modulesOf(planName) {
    return [...new Set((await this.#json(`plan/info/${planName}`)).modules.map(({ testModule }) => testModule))];
  }

  /** Creates a plan. Resolves to { id, modules: [{ testModule, variant }] }. */
  createPlan(planName, variant, configuration) {
    return this.#json("plan", { method: "POST", planName, variant, body: configuration });
  }

  async createModule(plan, module) {
    return (await this.#json("runner", { method: "POST", plan, test: module.testModule, variant: module.variant ?? {} })).id;
  }

  startModule(id) {
    return this.#json(`runner/${id}`, { method: "POST" });
  }

  /** Resolves to { status, result }: status is CONFIGURED, RUNNING, WAITING, FINISHED or INTERRUPTED. */
  state(id) {
    return this.#json(`info/${id}`);
  }

  log(id) {
    return this.#json(`log/${id}`);
  }

  async cancel(id) {
    await call(`${this.url}/api/runner/${id}`, { method: "DELETE" });
  }
}
