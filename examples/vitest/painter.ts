// A small client, which the tests use as an example.

export class GenerationFailed extends Error {}

interface Task {
  taskId: string;
  state?: "pending" | "processing" | "success" | "failed";
  resultJson?: string;
  failCode?: string;
}

export interface Options {
  baseUrl: string;
  apiKey: string;
  sleep?: (seconds: number) => Promise<unknown>;
}

const pause = (seconds: number) => new Promise((done) => setTimeout(done, seconds * 1000));

/** Return the addresses of the pictures. */
export async function paint(prompt: string, options: Options): Promise<string[]> {
  const sleep = options.sleep ?? pause;
  let task = await call(options, "generateTask/gpt-image-1", { input: { prompt } });
  const query = new URLSearchParams({ taskId: task.taskId });
  await sleep(20);
  for (;;) {
    task = await call(options, `statusTask/gpt-image-1?${query}`);
    if (task.state === "success") {
      return JSON.parse(task.resultJson ?? "{}").resultUrls;
    }
    if (task.state === "failed") {
      throw new GenerationFailed(task.failCode);
    }
    await sleep(3);
  }
}

async function call(options: Options, path: string, body?: object): Promise<Task> {
  const response = await fetch(`${options.baseUrl}/api/v1/${path}`, {
    method: body ? "POST" : "GET",
    headers: { Authorization: `Bearer ${options.apiKey}`, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) {
    throw new Error(`${path}: ${response.status} ${await response.text()}`);
  }
  return (await response.json()).data;
}
