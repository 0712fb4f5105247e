import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import readline from "node:readline";
import { after, before, test } from "node:test";

const headers = { Authorization: "Bearer node-test", "Content-Type": "application/json" };
let server, baseUrl;

const call = async (method, path, body) => {
  const answer = await fetch(baseUrl + path, { method, headers, body: body && JSON.stringify(body) });
  return [answer.status, await answer.json()];
};

before(async () => {
  server = spawn("mock-server", ["--port", "0", "--clock", "manual"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = await once(readline.createInterface({ input: server.stdout }), "line");
  baseUrl = line.split(" ").at(-1);
});

after(() => server.kill());

test("a picture is painted", async () => {
  const order = { input: { prompt: "a fox in the snow" } };
  const [, submitted] = await call("POST", "/api/v1/generateTask/gpt-image-1", order);
  await call("POST", "/_mock/clock/advance", { seconds: 120 });

  const path = `/api/v1/statusTask/gpt-image-1?taskId=${submitted.data.taskId}`;
  const [status, told] = await call("GET", path);

  assert.equal(status, 200);
  assert.equal(told.data.state, "success");
  assert.equal(JSON.parse(told.data.resultJson).resultUrls.length, 1);
});

test("the next submit is refused", async () => {
  const refuse = { status: 429, message: "Slow down", retry_after: 2 };
  await call("POST", "/_mock/next", { apply: { refuse } });

  const [status] = await call("POST", "/api/v1/generateTask/gpt-image-1", { input: { prompt: "x" } });

  assert.equal(status, 429);
});
