// The Durable Objects of functions/records, misbehaving by plan, for tests. A PUT of {"fault", "skip", "times"} to the
// script begins a plan: the calls of the store after the next `skip` go wrong, `times` of them. GET tells how many did, and
// ends the plan. What a fault is: suite::faults.

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
    this.sound = new script.Records(state, env);
  }

  async fetch(request) {
    const fault = next();
    if (fault === "refused") throw new Error("refused by plan");
    const answer = await this.sound.fetch(request);
    if (fault === "lost") throw new Error("lost by plan");
    if (fault === "crash") {
      await this.state.storage.sync();
      this.state.abort("crashed by plan");
    }
    return answer;
  }

  alarm() {
    return this.sound.alarm();
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
