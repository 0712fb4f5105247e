// Shows the timeline of one task within the card of the task.

import { taskPath, timelineItem, timelineItems } from "./items.js";
import { fill, make } from "./nodes.js";
import { call } from "./plane.js";

const at = (id) => document.getElementById(id);
// The parts are looked up once, because they leave the document while their card is replaced.
const [panel, title, finish, reasons, events] = ["timeline", "timeline-title", "finish", "reasons", "events"].map(at);
const tasks = at("tasks");

let taskId = null;

export const chosen = () => taskId;

// Chooses a task. Choosing it again closes its timeline.
export const choose = (id) => { taskId = id === taskId ? null : id; };

export const focus = () => { if (!panel.hidden) title.focus(); };

const place = () => {
  for (const card of tasks.children) {
    const isOpen = card.dataset.key === taskId;
    card.classList.toggle("open", isOpen);
    card.querySelector("[data-task]").setAttribute("aria-expanded", String(isOpen));
    if (isOpen && panel.parentElement !== card) card.append(panel);
  }
  if (!panel.closest(".open")) tasks.after(panel); // The task is not in the list any more.
};

// Calls a function that may replace the cards, and puts the timeline into its card again.
export const keep = (draw) => {
  const active = panel.contains(document.activeElement) ? document.activeElement : null;
  draw();
  place();
  active?.focus();
};

export const show = async () => {
  const id = taskId;
  const task = id === null ? null : await call("GET", taskPath(id)).catch(() => null); // It may not exist any more.
  if (id !== taskId) return;
  if (task === null) taskId = null;
  panel.hidden = task === null;
  place();
  if (task === null) return;
  title.textContent = `Timeline of ${id}`;
  finish.hidden = "complete_time_ms" in task;
  fill(reasons, task.explain, (line) => line, (line) => make("li", line));
  fill(events, timelineItems(task), ({ number }) => number, timelineItem);
};
