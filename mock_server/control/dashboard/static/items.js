// Builds the items of the lists on the page.

import { make } from "./nodes.js";
import { sandbox } from "./plane.js";

const short = (taskId) => taskId.slice(25); // All tasks of a sandbox have the same first digits.

export const written = (ms) => new Date(ms).toISOString().replace("T", " ").slice(0, 23);
export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
export const taskPath = (taskId) => `tasks/${encodeURIComponent(taskId)}`;

// The caller fills in the age, because it has the clock.
export const taskCard = (task, choose) => {
  const card = make("li");
  const button = make("button", short(task.task_id));
  button.dataset.task = task.task_id;
  button.setAttribute("aria-label", `timeline of ${task.task_id}`);
  button.addEventListener("click", () => choose(task.task_id));
  const age = make("span", undefined, "soft");
  age.dataset.created = task.create_time_ms;
  age.dataset.ended = task.complete_time_ms ?? "";
  const prompt = make("p", task.prompt.slice(0, 300));
  card.append(button, " ", make("strong", task.state, task.state), " ", age, prompt);
  if (task.fail_code) card.append(make("p", `${task.fail_code}: ${task.fail_msg}`, "failed"));
  if (task.state === "success") card.append(thumbnails(task));
  return card;
};

const thumbnails = (task) => {
  const row = make("div", undefined, "thumbs");
  for (let number = 1; number <= task.num_images; number += 1) {
    const image = make("img");
    image.alt = `picture ${number} of ${task.task_id}`;
    image.src = `/_mock/${taskPath(task.task_id)}/images/${number}?sandbox=${sandbox}&created=${task.create_time_ms}`;
    row.append(image);
  }
  return row;
};

export const timelineItems = (task) => {
  const reasons = task.explain.map((line) => ({ line, kind: "soft" }));
  const events = task.timeline.map((event) => {
    const rest = ["state", "status", "error", "path", "rule", "fault"].map((name) => event[name]);
    const words = [seconds(event.at_ms - task.create_time_ms), event.kind, ...rest];
    return { line: words.filter((word) => word != null).join("  "), kind: "" };
  });
  return [...reasons, ...events].map((item, number) => ({ ...item, number }));
};

export const timelineItem = ({ line, kind }) => make("li", line, kind);

const headAndBody = (first, { headers, body }) =>
  [first, ...headers.map((pair) => pair.join(": ")), "", body].join("\n");

export const journalItem = (entry) => {
  const { request, answer } = entry;
  const requestLine = `${request.method} ${request.path}`;
  const fault = entry.rule ? `[${entry.rule}: ${entry.fault}]` : "";
  const line = [written(entry.at_ms).slice(11), entry.status ?? "–", entry.operation, requestLine, fault];
  const details = make("details");
  details.append(
    make("summary", line.join("  ")),
    make("pre", headAndBody(requestLine, request)),
    make("pre", answer ? headAndBody(answer.status, answer) : `${entry.status ?? ""} ${entry.error ?? ""}`),
  );
  const item = make("li");
  item.append(details);
  return item;
};

export const callbackCard = (delivery) => {
  const card = make("li");
  card.append(make("strong", delivery.state), ` ${delivery.url} `, make("span", short(delivery.task_id), "soft"));
  for (const each of delivery.attempts) {
    card.append(make("p", `${written(each.at_ms)}  ${each.status ?? each.error}`));
  }
  return card;
};

export const ruleItem = (rule, toggle) => {
  const button = make("button", rule.isOn ? "disable" : "enable");
  button.addEventListener("click", () => toggle(rule));
  const words = `${JSON.stringify(rule.match)} → ${JSON.stringify(rule.apply)}`;
  const item = make("li");
  item.append(make("code", words), make("span", rule.isOn ? `applied ${rule.applied} times` : "disabled", "soft"), button);
  return item;
};

export const queuedItem = (queued) => {
  const item = make("li");
  item.append(make("code", `next ${queued.count} matches: ${JSON.stringify(queued.apply)}`));
  return item;
};
