// Starts the mock for a test file, and gives each test a sandbox of its own.

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";

export class Mock {
  private constructor(
    private readonly server: ChildProcess,
    readonly baseUrl: string,
  ) {}

  /** Start `mock-server` on a free port. Its first line names the address. */
  static async start(): Promise<Mock> {
    const server = spawn("mock-server", ["--port", "0", "--clock", "manual"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [line] = await once(createInterface({ input: server.stdout }), "line");
    return new Mock(server, String(line).split(" ").at(-1) ?? "");
  }

  stop(): void {
    this.server.kill();
  }

  sandbox(): Sandbox {
    return new Sandbox(this.baseUrl, `test-${randomUUID()}`);
  }
}

export class Sandbox {
  constructor(
    readonly baseUrl: string,
    readonly apiKey: string,
  ) {}

  advance = (seconds: number) => this.control("POST", "clock/advance", { seconds });

  next = (apply: object) => this.control("POST", "next", { apply });

  async control(method: string, path: string, body?: object): Promise<any> {
    const response = await fetch(`${this.baseUrl}/_mock/${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.apiKey}`, "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
    });
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${await response.text()}`);
    }
    return response.json();
  }
}
