// Every page, rendered with sample data by `cargo run -p pages --example gallery -- DIRECTORY`; GALLERY is that directory.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { assertAccessible, launch, open, picture } from "./browser.mjs";

const directory = process.env.GALLERY;

describe("gallery", { skip: directory ? false : "GALLERY is not set" }, () => {
  let browser, server, origin, names;

  before(async () => {
    names = (await readdir(directory)).filter((name) => name.endsWith(".html")).map((name) => name.slice(0, -5));
    server = createServer(async (request, response) => {
      const name = new URL(request.url, "http://localhost").pathname.slice(1);
      if (!names.includes(name)) return response.writeHead(404).end();
      const file = path.join(directory, name);
      const csp = await readFile(`${file}.csp`, "utf8");
      response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": csp });
      const html = await readFile(`${file}.html`, "utf8");
      // To be looked at, the pages that submit themselves or navigate must stay.
      const submits = name === "form_post" && !request.url.endsWith("?submit");
      const still = html.replace(/<meta http-equiv="refresh"[^>]*>/, "");
      response.end(submits ? still.replace(/<script[^]*<\/script>/, "") : still);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${server.address().port}`;
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    server?.close();
  });

  test("form_post submits itself within its policy", { timeout: 30_000 }, async () => {
    const { context, page, problems } = await open(browser);
    const posted = new Promise((resolve) => {
      context.route("https://app.example/**", (route) => {
        resolve(route.request().postData());
        return route.fulfill({ contentType: "text/html", body: "<title>Arrived</title>" });
      });
    });
    await page.goto(`${origin}/form_post?submit`, { waitUntil: "commit" });
    assert.match(await posted, /^code=abc&state=xyz&iss=/);
    assert.deepEqual(problems, []);
    await context.close();
  });

  for (const colorScheme of ["light", "dark"]) {
    test(`each page passes axe, keeps its policy and fits a phone (${colorScheme})`, { timeout: 120_000 }, async () => {
      assert.ok(names.length > 10);
      const { context, page, problems } = await open(browser, { colorScheme });
      for (const name of names) {
        await page.setViewportSize({ width: 1200, height: 800 });
        await page.goto(`${origin}/${name}`);
        await assertAccessible(page, `${name} ${colorScheme}`);
        await picture(page, `${name}-${colorScheme}`, { fullPage: true });
        await page.setViewportSize({ width: 320, height: 640 });
        await assertAccessible(page, `${name} ${colorScheme} 320 px`);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= 320, `${name} is ${width} px wide on a screen of 320`);
        await picture(page, `${name}-${colorScheme}-phone`, { fullPage: true });
      }
      assert.deepEqual(problems, []);
      await context.close();
    });
  }
});
