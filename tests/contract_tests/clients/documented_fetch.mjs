// A plain script as the provider's pages show it: submit, wait, poll, download. With Node's fetch.
import { writeFile } from "node:fs/promises";

const [prompt, outDir] = process.argv.slice(2);
const api = `${process.env.APIXO_BASE_URL}/api/v1`;
const headers = {
  Authorization: `Bearer ${process.env.APIXO_API_KEY}`,
  "Content-Type": "application/json",
};
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

const submitted = await fetch(`${api}/generateTask/gpt-image-1`, {
  method: "POST",
  headers,
  body: JSON.stringify({ request_type: "async", input: { mode: "gpt-image-1", prompt } }),
});
const { taskId } = (await submitted.json()).data;

await sleep(20);
for (;;) {
  const asked = await fetch(`${api}/statusTask/gpt-image-1?taskId=${taskId}`, { headers });
  const { data } = await asked.json();
  if (data.state === "success") {
    for (const [number, url] of JSON.parse(data.resultJson).resultUrls.entries()) {
      const picture = await fetch(url);
      await writeFile(`${outDir}/${number}.png`, Buffer.from(await picture.arrayBuffer()));
    }
    break;
  }
  if (data.state === "failed") {
    console.error(`${data.failCode}: ${data.failMsg}`);
    process.exit(1);
  }
  await sleep(3);
}
