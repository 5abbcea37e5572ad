// The Durable Objects of functions/records with injected faults, for tests. PUT {"fault", "skip", "times"} begins a plan:
// after the next `skip` calls of the store, `times` calls fail. GET ends the plan and returns how many failed. The module
// suite::faults describes the faults.

import * as script from "./index.js";

let plan = { times: 0 };
let befell = 0;

function next() {
  if (plan.times === 0) return "none";
  if (plan.skip > 0) {
    plan.skip -= 1;
    return "none";
  }
  plan.times -= 1;
  befell += 1;
  return plan.fault;
}

export class Records {
  constructor(state, env) {
    this.state = state;
    this.records = new script.Records(state, env);
  }

  async fetch(request) {
    const fault = next();
    if (fault === "refused") throw new Error("refused by the plan of faults");
    const answer = await this.records.fetch(request);
    if (fault === "lost") throw new Error("lost by the plan of faults");
    if (fault === "crash") {
      await this.state.storage.sync();
      this.state.abort("ended by the plan of faults");
    }
    return answer;
  }

  alarm() {
    return this.records.alarm();
  }
}

export default {
  async fetch(request) {
    if (request.method === "PUT") {
      plan = await request.json();
      befell = 0;
      return new Response(null, { status: 204 });
    }
    plan = { times: 0 };
    return Response.json({ befell });
  },
};
