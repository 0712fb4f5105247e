// Shows the state of one sandbox and controls it.

import "./copy.js";
import "./new_task.js";
import { callbackCard, counterItem, counterItems, journalItem, queuedItem, ruleItem, taskCard, taskPath } from "./items.js";
import { fill } from "./nodes.js";
import { call, listen } from "./plane.js";
import { begin, edit } from "./rule_editor.js";
import { remove, switchedOff, toggle } from "./rules.js";
import { duration, written } from "./times.js";
import * as timeline from "./timeline.js";

const LATEST_MS = 253402300799000; // The clock stops in the last second of the year 9999.
const PAUSE_MS = 100; // Changes within this time are drawn together.
const TICK_MS = 500;

const at = (id) => document.getElementById(id);
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

const say = (id, words) => {
  at(id).textContent = words;
  at(id).hidden = !words;
};

// Between two refreshes, the page computes the present time from the last reading of the clock.
let clock = null;
let readAt = 0;

const present = () => {
  if (clock.mode === "manual") return clock.now_ms;
  return Math.min(LATEST_MS, clock.now_ms + (performance.now() - readAt) * clock.speed);
};

const showTime = () => {
  const now = present();
  at("now").textContent = `${written(now)} UTC`;
  at("now").dateTime = new Date(now).toISOString();
  for (const age of document.querySelectorAll("[data-created]")) {
    age.textContent = duration((Number(age.dataset.ended) || now) - Number(age.dataset.created));
  }
};

const showClock = (reading) => {
  clock = reading;
  readAt = performance.now();
  const isPaused = reading.mode === "manual";
  at("mode").textContent = isPaused ? "paused" : `×${reading.speed}`;
  for (const button of at("clock").querySelectorAll("[data-mode]")) {
    const { mode, speed } = button.dataset;
    button.setAttribute("aria-pressed", mode === reading.mode && (isPaused || Number(speed) === reading.speed));
  }
};

const showJournal = ({ entries, dropped }) => {
  fill(at("journal"), entries.reverse(), (entry) => entry.seq, journalItem);
  say("gone", dropped ? `${dropped} older entries were dropped` : "");
};

const showRules = ({ rules, profile }, { next }) => {
  fill(at("queue"), next, (each) => each.id, (each) => queuedItem(each, cancel));
  const all = [...rules.map((rule) => ({ ...rule, isOn: true })), ...switchedOff()];
  const named = (rule) => `${rule.isOn ? "on" : "off"} ${rule.id}`;
  fill(at("rules"), all, named, (rule) => ruleItem(rule, ruleActs));
  if (document.activeElement !== at("profile")) at("profile").value = profile.name;
};

const choose = async (taskId) => {
  timeline.choose(taskId);
  await refresh();
  timeline.focus();
};

const filters = () => {
  const given = ["operation", "task"].map((name) => [name, at(name).value.trim()]);
  return new URLSearchParams([["limit", 100], ...given.filter(([, value]) => value)]);
};

const draw = async () => {
  const [detail, reading, { tasks }, journal, { deliveries }, rules, next] = await Promise.all([
    call("GET", "sandbox"), call("GET", "clock"), call("GET", "tasks?limit=60"),
    call("GET", `journal?${filters()}`), call("GET", "callbacks"), call("GET", "rules"), call("GET", "next"),
  ]);
  fill(at("counters"), counterItems(detail.counters), ({ words }) => words.replace(/[\d.,$]+/, ""), counterItem);
  at("empty").hidden = tasks.length > 0 || Object.keys(detail.counters.responses).length > 0;
  at("no-tasks").hidden = tasks.length > 0;
  at("no-callbacks").hidden = deliveries.length > 0;
  showClock(reading);
  timeline.keep(() => fill(at("tasks"), tasks, (task) => task.task_id, (task) => taskCard(task, choose)));
  showTime();
  showJournal(journal);
  fill(at("callbacks"), deliveries.slice(-50).reverse(), (each) => each.task_id, callbackCard);
  showRules(rules, next);
  await timeline.show();
};

// Refreshes run one after the other, so that an older one never overwrites a newer one.
let last = Promise.resolve();
const showTrouble = (error) => {
  if (error.status === 401) location.reload(); // The session has ended: the same address shows the sign-in.
  else say("trouble", error.message);
};
const refresh = () => {
  last = last.then(draw).then(() => say("trouble", ""), showTrouble);
  return last;
};

let isDue = false;
let isBusy = false;
const soon = async () => {
  isDue = true;
  if (isBusy) return;
  isBusy = true;
  while (isDue) {
    await pause(PAUSE_MS);
    isDue = false;
    await refresh();
  }
  isBusy = false;
};

// The error of an action stays visible until the next action.
const act = async (work) => {
  try {
    await work();
    say("problem", "");
  } catch (error) {
    say("problem", error.message);
  }
  await refresh();
};

const cancel = ({ id }) => act(() => call("DELETE", `next?id=${encodeURIComponent(id)}`));
const ruleActs = { toggle: (rule) => act(() => toggle(rule)), remove: (rule) => act(() => remove(rule)), edit };

at("clock").addEventListener("click", ({ target }) => {
  const { seconds: moved, mode, speed } = target.dataset;
  if (moved) act(() => call("POST", "clock/advance", { seconds: moved }));
  if (mode) act(() => call("PUT", "clock", { mode, speed: Number(speed) }));
});
at("finish").addEventListener("click", ({ target: { dataset } }) => {
  if (dataset.state) act(() => call("POST", `${taskPath(timeline.chosen())}/finish`, { state: dataset.state }));
});
at("profile").addEventListener("change", ({ target }) => act(() => call("PATCH", "sandbox", { profile: target.value })));
at("fail-next").addEventListener("click", () => act(() => call("POST", "next", { apply: JSON.parse(at("next").value) })));
at("operation").addEventListener("change", soon);
at("task").addEventListener("input", soon);

begin(refresh);
listen(soon, (isLive) => say("link", isLive ? "" : "Disconnected from the server. Reconnecting…"));
refresh();
setInterval(() => { if (clock?.mode === "real" && !document.hidden) showTime(); }, TICK_MS);
