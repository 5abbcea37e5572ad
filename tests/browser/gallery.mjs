// Serves every page with sample data, as `cargo run -p latchkey-pages --example gallery -- DIRECTORY` writes them; GALLERY is that
// directory.
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";

export const directory = process.env.GALLERY;

/** Starts the server. To be looked at, the pages that submit themselves or navigate stay, unless the URL ends in `?submit`. */
export async function serveGallery() {
  const logo = await readFile(new URL("logo.png", import.meta.url));
  const names = (await readdir(directory)).filter((name) => name.endsWith(".html")).map((name) => name.slice(0, -5));
  const server = createServer(async (request, response) => {
    const name = new URL(request.url, "http://localhost").pathname.slice(1);
    if (name === "logos/sample") return response.writeHead(200, { "content-type": "image/png" }).end(logo);
    if (!names.includes(name)) return response.writeHead(404).end();
    const file = path.join(directory, name);
    const csp = await readFile(`${file}.csp`, "utf8");
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": csp });
    const html = await readFile(`${file}.html`, "utf8");
    const goes = name === "form_post" || name.startsWith("signed_out_frames");
    const still = html.replace(/<meta http-equiv="refresh"[^>]*>/, "");
    response.end(goes && !request.url.endsWith("?submit") ? still.replace(/<script[^]*<\/script>/, "") : still);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { names, origin: `http://127.0.0.1:${server.address().port}`, close };
}
