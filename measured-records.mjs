// The Durable Objects of functions/records with more paths, for the contract tests:
//
// /rows              returns the number of rows that were written so far
// /alarm             runs the alarm now
// /snapshot          keeps the present state of the object
// /history?lost      lets the history of the object be missing; ?found lets it be there again
// /lose?every=N      executes each Nth call of all objects and loses its answer; 0 ends that
//
// workerd keeps no history of an object. Here a bookmark names a snapshot; without one, the state at the moment.

import * as script from "./index.js";

export * from "./index.js";

const TABLES = ["records", "counters", "layout"];

// Each by the id of the object: an object that restarts is another one.
const snapshots = new Map();
const next = new Map();

let every = 0;
let calls = 0;

export class Records {
  constructor(state, env) {
    const { storage } = state;
    const { sql } = storage;
    const id = state.id.toString();
    if (!snapshots.has(id)) snapshots.set(id, []);
    const kept = snapshots.get(id);
    if (next.has(id)) this.restore(sql, kept[next.get(id)]);
    next.delete(id);

    this.hasHistory = true;
    this.snapshot = () => kept.push({ at: Date.now(), tables: TABLES.map((name) => sql.exec(`SELECT * FROM ${name}`).toArray()) }) - 1;
    storage.getBookmarkForTime = async (at) => {
      if (!this.hasHistory) throw new Error("there is no history of this time");
      const position = kept.findLastIndex((snapshot) => snapshot.at <= at);
      return String(position < 0 ? this.snapshot() : position);
    };
    storage.onNextSessionRestoreBookmark = async (bookmark) => {
      next.set(id, Number(bookmark));
      return String(this.snapshot());
    };

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

  restore(sql, { tables }) {
    TABLES.forEach((name, position) => {
      sql.exec(`DELETE FROM ${name}`);
      for (const row of tables[position]) {
        const columns = Object.keys(row);
        const places = columns.map(() => "?").join(", ");
        sql.exec(`INSERT INTO ${name} (${columns.join(", ")}) VALUES (${places})`, ...Object.values(row));
      }
    });
  }

  async fetch(request) {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/rows") return Response.json(this.rows());
    if (pathname === "/alarm") await this.records.alarm();
    if (pathname === "/snapshot") this.snapshot();
    if (pathname === "/history") this.hasHistory = search === "?found";
    if (pathname === "/lose") [every, calls] = [Number(search.split("=")[1]), 0];
    if (pathname !== "/") return Response.json(null);
    calls += 1;
    const isLost = every > 0 && calls % every === 0;
    const answer = await this.records.fetch(request);
    if (isLost) throw new Error("the answer is lost");
    return answer;
  }

  alarm() {
    return this.records.alarm();
  }
}
