// The Durable Objects of functions/records with two more paths, for the contract tests: /rows returns the number of rows
// that were written so far, /alarm runs the alarm now.

import * as script from "./index.js";

export * from "./index.js";

export class Records {
  constructor(state, env) {
    const { sql } = state.storage;
    const cursors = [];
    this.rows = () => cursors.reduce((rows, cursor) => rows + cursor.rowsWritten, 0);
    const exec = sql.exec.bind(sql);
    sql.exec = (...call) => {
      const cursor = exec(...call);
      cursors.push(cursor);
      return cursor;
    };
    this.records = new script.Records(state, env);
  }

  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/rows") return Response.json(this.rows());
    if (pathname === "/alarm") {
      await this.records.alarm();
      return Response.json(null);
    }
    return this.records.fetch(request);
  }

  alarm() {
    return this.records.alarm();
  }
}
