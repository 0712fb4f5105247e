// Builds the items of the lists on the page.

import { curlCommand } from "./curl.js";
import { make } from "./nodes.js";
import { sandbox } from "./plane.js";
import { counted, duration, timeOfDay, written } from "./times.js";

const short = (taskId) => taskId.slice(25); // All tasks of a sandbox have the same first digits.

export const taskPath = (taskId) => `tasks/${encodeURIComponent(taskId)}`;

const status = (code) => make("span", code, `status s${String(code)[0]}`);

const button = (words, name, act) => {
  const node = make("button", words);
  node.type = "button";
  if (name) node.setAttribute("aria-label", name);
  node.addEventListener("click", act);
  return node;
};

export const counterItem = ({ words, kind }) => make("li", words, kind);

// The number of requests and of rejected ones, with their statuses, and the state of the account.
export const counterItems = ({ responses, tasks, live_tasks: live, balance }) => {
  const statuses = Object.entries(responses);
  const total = statuses.reduce((sum, [, count]) => sum + count, 0);
  const bad = statuses.filter(([code]) => Number(code) >= 400);
  const rejected = bad.reduce((sum, [, count]) => sum + count, 0);
  const details = bad.map(([code, count]) => (count > 1 ? `${code} ×${count}` : code)).join(", ");
  return [
    { words: counted(total, "request") },
    { words: rejected ? `${rejected} rejected: ${details}` : "0 rejected", kind: rejected ? "failed" : "" },
    { words: counted(live, "live task") },
    { words: `${tasks.success} succeeded` },
    { words: `${tasks.failed} failed` },
    { words: `$${balance.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 3 })} left` },
  ];
};

// The caller fills in the age, because it has the clock.
export const taskCard = (task, choose) => {
  const card = make("li");
  const head = make("div", undefined, "bar");
  const about = make("span");
  const age = make("span", undefined, "soft");
  age.dataset.created = task.create_time_ms;
  age.dataset.ended = task.complete_time_ms ?? "";
  const id = make("code", short(task.task_id), "soft");
  id.title = task.task_id;
  about.append(make("strong", task.state, `pill ${task.state}`), " ", age, " ", id);
  const open = button("Timeline", `timeline of ${task.task_id}`, () => choose(task.task_id));
  open.dataset.task = task.task_id;
  head.append(about, open);
  card.append(head, make("p", task.prompt.slice(0, 300)));
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
    const link = make("a");
    link.href = image.src;
    link.append(image);
    row.append(link);
  }
  return row;
};

export const timelineItems = (task) => task.timeline.map((event, number) => ({
  number, after: duration(event.at_ms - task.create_time_ms), ...event,
}));

export const timelineItem = ({ after, kind, status: code, ...rest }) => {
  const item = make("li");
  const file = rest.path?.split("/").at(-1).replace(/(-.{6}).+(?=\.)/, "$1…"); // 1-33c67d….png
  const words = [rest.state, rest.error, file, rest.rule, rest.fault].filter((word) => word != null);
  item.append(make("span", after, "soft after"), make("span", kind), " ");
  if (code != null) item.append(status(code), " ");
  item.append(make("span", words.join("  "), rest.state ?? ""));
  return item;
};

const headAndBody = (first, { headers, body }) =>
  [first, ...headers.map((pair) => pair.join(": ")), "", body].join("\n");

const curlBlock = (entry) => {
  const block = make("div", undefined, "command");
  const command = make("pre", curlCommand(entry));
  command.id = `curl-${entry.seq}`;
  const copy = button("Copy");
  copy.dataset.copy = command.id;
  block.append(command, copy);
  return block;
};

const journalDetails = (entry, line) => {
  const { request, answer } = entry;
  const nodes = [make("pre", headAndBody(line, request))];
  nodes.push(make("pre", answer ? headAndBody(answer.status, answer) : `${entry.status ?? ""} ${entry.error ?? ""}`));
  if (request.is_cut) nodes.push(make("p", "The body is too long to be stored as a whole, so there is no curl command.", "soft"));
  else nodes.push(button("Copy as curl", undefined, ({ target }) => {
    const block = curlBlock(entry);
    target.replaceWith(block);
    block.querySelector("button").focus();
    block.querySelector("button").click();
  }));
  return nodes;
};

export const journalItem = (entry) => {
  const line = `${entry.request.method} ${entry.request.path}`;
  const details = make("details");
  const summary = make("summary");
  summary.append(make("span", timeOfDay(entry.at_ms), "soft"), " ", status(entry.status ?? "–"), " ", make("strong", entry.operation), ` ${line} `);
  if (entry.rule) summary.append(make("span", `${entry.rule}: ${entry.fault}`, "pill processing"));
  details.append(summary, ...journalDetails(entry, line));
  const item = make("li");
  item.append(details);
  return item;
};

const DELIVERY_KINDS = { delivered: "success", failed: "failed", blocked: "failed", pending: "pending" };

export const callbackCard = (delivery) => {
  const card = make("li");
  card.append(make("strong", delivery.state, `pill ${DELIVERY_KINDS[delivery.state] ?? ""}`), ` ${delivery.url} `, make("code", short(delivery.task_id), "soft"));
  for (const each of delivery.attempts) {
    const attempt = make("p");
    attempt.append(make("span", `${written(each.at_ms)} UTC `, "soft"), each.status ? status(each.status) : make("span", each.error, "failed"));
    card.append(attempt);
  }
  return card;
};

const plain = (given) => {
  if (Array.isArray(given)) return given.map(plain).join(" or ");
  return given !== null && typeof given === "object" ? `{${members(given)}}` : String(given);
};
const members = (given) => Object.entries(given).map(([name, its]) => `${name}: ${plain(its)}`).join(", ");
const ruleWords = ({ match, apply }) => [members(match ?? {}), members(apply)].filter(Boolean).join(" → ");

// `acts` are the actions of the buttons: toggle, edit, remove.
export const ruleItem = (rule, acts) => {
  const item = make("li");
  const shown = ruleWords(rule);
  const buttons = make("div", undefined, "buttons");
  buttons.append(
    button(rule.isOn ? "disable" : "enable", undefined, () => acts.toggle(rule)),
    button("edit", `edit the rule ${shown}`, () => acts.edit(rule)),
    button("delete", `delete the rule ${shown}`, () => acts.remove(rule)),
  );
  item.append(make("code", shown), make("span", rule.isOn ? `applied ${counted(rule.applied, "time")}` : "disabled", "soft"), buttons);
  return item;
};

export const queuedItem = (queued, cancel) => {
  const item = make("li");
  const many = queued.count === 1 ? "next match" : `next ${queued.count} matches`;
  item.append(make("code", `${many}: ${ruleWords(queued)}`));
  item.append(button("cancel", `cancel ${many}`, () => cancel(queued)));
  return item;
};
