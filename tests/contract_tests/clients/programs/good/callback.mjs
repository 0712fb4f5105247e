// node callback.mjs PROMPT OUT_DIR PORT: receives the callback with node:http.
import { createServer } from "node:http";
import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const { APIXO_BASE_URL, APIXO_API_KEY, DEADLINE = 300, LINGER = 0 } = process.env;
const [prompt, outDir, port] = process.argv.slice(2);
const results = new Map();
let wake = () => {};

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    try {
      const { data } = JSON.parse(Buffer.concat(chunks).toString());
      if (!results.has(data.taskId)) results.set(data.taskId, data);
      response.writeHead(200).end();
      wake();
    } catch {
      response.writeHead(400).end();
    }
  });
});

async function submit() {
  for (let attempt = 0; attempt < 5; attempt++) {
    const response = await fetch(`${APIXO_BASE_URL}/api/v1/generateTask/gpt-image-1`, {
      method: "POST",
      headers: { Authorization: `Bearer ${APIXO_API_KEY}`, "Content-Type": "application/json" },
      body: JSON.stringify({
        request_type: "callback",
        callback_url: `http://127.0.0.1:${port}/apixo`,
        input: { mode: "gpt-image-1", prompt },
      }),
      signal: AbortSignal.timeout(30_000),
    });
    if (response.status === 200) return (await response.json()).data.taskId;
    if (response.status !== 429) throw new Error(`submit: ${response.status}`);
    await sleep(1000 * Number(response.headers.get("retry-after") ?? 2 ** attempt));
  }
  throw new Error("submit: rate limit");
}

function callbackFor(taskId) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no callback arrived")), 1000 * DEADLINE);
    wake = () => {
      if (!results.has(taskId)) return;
      clearTimeout(timer);
      resolve(results.get(taskId));
    };
    wake();
  });
}

async function download(url, path) {
  for (let attempt = 0; attempt < 4; attempt++) {
    const response = await fetch(url);
    const picture = Buffer.from(await response.arrayBuffer());
    if (response.ok && picture.subarray(-8, -4).toString() === "IEND") return writeFile(path, picture);
    await sleep(500);
  }
  throw new Error("a picture could not be downloaded");
}

try {
  await new Promise((resolve) => server.listen(Number(port), "127.0.0.1", resolve));
  const task = await callbackFor(await submit());
  if (task.state !== "success") throw new Error(`${task.failCode}: ${task.failMsg}`);
  const urls = JSON.parse(task.resultJson).resultUrls;
  if (!urls.length) throw new Error("a success without addresses");
  for (const [i, url] of urls.entries()) await download(url, `${outDir}/${i}.png`);
  console.log("saved");
  await sleep(1000 * LINGER);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
server.close();
server.closeAllConnections();
