// The function behind GET /: the page to try the chat with.
import { readFileSync } from "node:fs";

// The only thing the page doesn't know by itself is where the WebSocket API is.
const page = readFileSync(new URL("./page.html", import.meta.url), "utf8").replace("WEBSOCKET_URL", process.env.WEBSOCKET_URL);

export const handler = async () => ({
  statusCode: 200,
  headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  body: page,
});
