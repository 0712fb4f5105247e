// node paint.mjs PROMPT OUT_DIR [NUM_IMAGES], with the fetch of Node 18 or newer.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const { APIXO_BASE_URL, APIXO_API_KEY, FIRST_WAIT = 20, POLL_INTERVAL = 3, DEADLINE = 300 } = process.env;
const api = `${APIXO_BASE_URL}/api/v1`;
const headers = { Authorization: `Bearer ${APIXO_API_KEY}`, "User-Agent": "paint.mjs/1" };
const [prompt, outDir, numImages = "1"] = process.argv.slice(2);

function waitAfter(response, attempt) {
  const value = response.headers.get("retry-after");
  if (value === null) return 1000 * 2 ** attempt;
  if (/^\d+$/.test(value)) return 1000 * Number(value);
  return Date.parse(value) - Date.parse(response.headers.get("date"));
}

async function submit() {
  const input = { mode: "gpt-image-1", prompt, num_images: Number(numImages) };
  for (let attempt = 0; attempt < 5; attempt++) {
    const response = await fetch(`${api}/generateTask/gpt-image-1`, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json" },
      body: JSON.stringify({ request_type: "async", input }),
      signal: AbortSignal.timeout(30_000),
    });
    if (response.status === 200) return (await response.json()).data.taskId;
    const text = await response.text();
    if (response.status !== 429) throw new Error(`submit: ${response.status} ${text}`);
    await sleep(waitAfter(response, attempt));
  }
  throw new Error("submit: rate limit");
}

async function wait(taskId) {
  const end = Date.now() + 1000 * DEADLINE;
  await sleep(1000 * FIRST_WAIT);
  for (let errors = 0; Date.now() < end; ) {
    let pause = 1000 * POLL_INTERVAL;
    let task = null;
    try {
      const url = `${api}/statusTask/gpt-image-1?${new URLSearchParams({ taskId })}`;
      const response = await fetch(url, { headers, signal: AbortSignal.timeout(30_000) });
      if ([400, 401, 403, 404].includes(response.status)) {
        throw Object.assign(new Error(`status: ${response.status}`), { isFinal: true });
      }
      if (response.status !== 200) {
        console.error(`status: ${response.status}`);
        pause = Math.max(pause, waitAfter(response, errors));
      } else task = (await response.json()).data;
    } catch (error) {
      if (error.isFinal) throw error;
    }
    if (task?.state === "success") {
      const urls = JSON.parse(task.resultJson).resultUrls;
      if (!urls.length) throw new Error("a success without addresses");
      return urls;
    }
    if (task?.state === "failed") throw new Error(`${task.failCode}: ${task.failMsg}`);
    errors = task ? 0 : errors + 1;
    if (errors > 5) throw new Error("status: too many errors");
    await sleep(pause);
  }
  throw new Error("the task did not end in time");
}

async function download(url, path) {
  for (let attempt = 0; attempt < 4; attempt++) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
      const picture = Buffer.from(await response.arrayBuffer());
      if (response.status === 200 && picture.subarray(-8, -4).toString() === "IEND") {
        await writeFile(path, picture);
        return;
      }
    } catch (error) {
      console.error(`download: ${error.message}`);
    }
    await sleep(400 * 2 ** attempt);
  }
  throw new Error("a picture could not be downloaded");
}

try {
  const urls = await wait(await submit());
  await Promise.all(urls.map((url, i) => download(url, join(outDir, `${i + 1}.png`))));
  console.log(`${urls.length} pictures in ${outDir}`);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
