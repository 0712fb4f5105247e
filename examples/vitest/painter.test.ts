import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { Mock, type Sandbox } from "./mock.ts";
import { GenerationFailed, type Options, paint } from "./painter.ts";

let mock: Mock;
let sandbox: Sandbox;
let options: Options;

beforeAll(async () => {
  mock = await Mock.start();
});

afterAll(() => mock?.stop());

beforeEach(() => {
  sandbox = mock.sandbox();
  options = { baseUrl: sandbox.baseUrl, apiKey: sandbox.apiKey, sleep: sandbox.advance };
});

test("a picture is painted without waiting", async () => {
  const urls = await paint("a fox in the snow", options);

  expect(urls).toHaveLength(1);
  const picture = await fetch(urls[0]);
  expect(picture.headers.get("content-type")).toBe("image/png");
});

test("a failed task throws", async () => {
  await sandbox.next({ outcome: { fail: "CONTENT_VIOLATION" } });

  await expect(paint("a fox", options)).rejects.toThrow(GenerationFailed);
});

test("a rejected submit throws and creates no task", async () => {
  await sandbox.next({ refuse: { status: 429, retry_after: 2 } });

  await expect(paint("a fox", options)).rejects.toThrow("429");
  expect((await sandbox.control("GET", "tasks")).tasks).toEqual([]);
});
