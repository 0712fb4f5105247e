// Shows one sandbox and steers it. Everything shown goes in as text, never as markup.

const main = document.querySelector("main");
const sandbox = main.dataset.sandbox;
const at = (id) => document.getElementById(id);
const off = []; // rules that have been switched off here
let chosenTask = null;
let open = new Set();

const make = (tag, text, className) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
};

const call = async (method, path, body) => {
  const headers = { "Mock-Sandbox": sandbox };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(`/_mock/${path}`, {
    method, headers, body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.status === 204) return {};
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.data?.error ?? answer.statusText);
  return told;
};

const attempt = async (act) => {
  try {
    await act();
    at("problem").hidden = true;
  } catch (error) {
    at("problem").textContent = error.message;
    at("problem").hidden = false;
  }
};

const act = (work) => attempt(async () => { await work(); await refresh(); });

const written = (ms) => new Date(ms).toISOString().replace("T", " ").slice(0, 23);
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

const showClock = (clock) => {
  at("now").textContent = written(clock.now_ms);
  at("now").dateTime = new Date(clock.now_ms).toISOString();
  at("mode").textContent = clock.mode === "manual" ? "paused" : `×${clock.speed}`;
};

const showTasks = ({ tasks }, now) => {
  at("tasks").replaceChildren(...tasks.map((task) => {
    const item = make("li");
    const button = make("button", task.task_id.slice(-12));
    button.dataset.task = task.task_id;
    button.addEventListener("click", () => { chosenTask = task.task_id; act(() => {}).then(() => at("timeline-title").focus()); });
    const age = make("span", ` ${seconds((task.complete_time_ms ?? now) - task.create_time_ms)} `, "soft");
    item.append(button, " ", make("strong", task.state, task.state), age, make("p", task.prompt.slice(0, 300)));
    if (task.fail_code) item.append(make("p", `${task.fail_code}: ${task.fail_msg}`, "failed"));
    if (task.state === "success") item.append(thumbnails(task));
    return item;
  }));
};

const thumbnails = (task) => {
  const row = make("div", undefined, "thumbs");
  for (let number = 1; number <= task.num_images; number += 1) {
    const image = make("img");
    image.loading = "lazy";
    image.alt = `picture ${number} of ${task.task_id}`;
    image.src = `/_mock/tasks/${encodeURIComponent(task.task_id)}/images/${number}?sandbox=${sandbox}`;
    row.append(image);
  }
  return row;
};

const showTimeline = async () => {
  at("timeline").hidden = chosenTask === null;
  if (chosenTask === null) return;
  const task = await call("GET", `tasks/${encodeURIComponent(chosenTask)}`);
  at("timeline-title").textContent = `Timeline of ${chosenTask}`;
  const told = task.explain.map((line) => make("li", line, "soft"));
  const events = task.timeline.map((event) => {
    const rest = ["state", "status", "error", "path", "rule", "fault"].filter((name) => event[name] != null);
    return make("li", `${seconds(event.at_ms - task.create_time_ms)}  ${event.kind}  ${rest.map((name) => event[name]).join("  ")}`);
  });
  at("events").replaceChildren(...told, ...events);
};

const showJournal = ({ entries, dropped }) => {
  const items = entries.reverse().map((entry) => {
    const item = make("li");
    const details = make("details");
    details.open = open.has(entry.seq);
    details.addEventListener("toggle", () => { details.open ? open.add(entry.seq) : open.delete(entry.seq); });
    const fault = entry.rule ? `  [${entry.rule}: ${entry.fault}]` : "";
    const { request, answer } = entry;
    details.append(
      make("summary", `${written(entry.at_ms).slice(11)}  ${entry.status ?? "–"}  ${entry.operation}  ${request.method} ${request.path}${fault}`),
      make("pre", [`${request.method} ${request.path}`, ...request.headers.map((pair) => pair.join(": ")), "", request.body].join("\n")),
      make("pre", answer ? [`${answer.status}`, ...answer.headers.map((pair) => pair.join(": ")), "", answer.body].join("\n") : `${entry.status ?? ""} ${entry.error ?? ""}`),
    );
    item.append(details);
    return item;
  });
  if (dropped) items.push(make("li", `${dropped} older entries are gone`, "soft"));
  at("journal").replaceChildren(...items);
};

const showCallbacks = ({ deliveries }) => {
  at("callbacks").replaceChildren(...deliveries.slice(-50).reverse().map((delivery) => {
    const item = make("li");
    item.append(make("strong", delivery.state), ` ${delivery.url} `, make("span", delivery.task_id.slice(-12), "soft"));
    for (const each of delivery.attempts) {
      item.append(make("p", `${written(each.at_ms)}  ${each.status ?? each.error}`));
    }
    return item;
  }));
};

const switchable = (rule, isOn) => {
  const item = make("li");
  const { match, apply } = rule;
  const button = make("button", isOn ? "switch off" : "switch on");
  button.addEventListener("click", () => act(async () => {
    const { rules } = await call("GET", "rules");
    if (isOn) {
      off.push({ match, apply });
      await call("PUT", "rules", { rules: rules.filter((each) => each.id !== rule.id) });
    } else {
      off.splice(off.indexOf(rule), 1);
      await call("POST", "rules", { match, apply });
    }
  }));
  item.append(make("code", `${JSON.stringify(match)} → ${JSON.stringify(apply)}`), make("span", isOn ? `applied ${rule.applied} times` : "off", "soft"), button);
  return item;
};

const showRules = ({ rules, profile }, { next }) => {
  at("queue").replaceChildren(...next.map((each) => {
    const item = make("li");
    item.append(make("code", `next ${each.count}: ${JSON.stringify(each.apply)}`));
    return item;
  }));
  const own = rules.map((rule) => switchable(rule, true));
  at("rules").replaceChildren(...own, ...off.map((rule) => switchable(rule, false)));
  if (document.activeElement !== at("profile")) at("profile").value = profile.name;
};

const refresh = async () => {
  const operation = at("operation").value;
  const [shown, clock, tasks, journal, callbacks, rules, next] = await Promise.all([
    call("GET", "sandbox"), call("GET", "clock"), call("GET", "tasks?limit=60"),
    call("GET", `journal?limit=100${operation && `&operation=${operation}`}`),
    call("GET", "callbacks"), call("GET", "rules"), call("GET", "next"),
  ]);
  const { counters } = shown;
  at("counters").textContent = `${counters.requests} requests, ${counters.refused} refused, ${counters.live_tasks} live tasks, $${counters.balance.toFixed(2)} left`;
  showClock(clock);
  showTasks(tasks, clock.now_ms);
  showJournal(journal);
  showCallbacks(callbacks);
  showRules(rules, next);
  await showTimeline();
};

let waiting = null;
const soon = () => {
  waiting ??= setTimeout(() => { waiting = null; attempt(refresh); }, 100);
};

at("clock").addEventListener("click", ({ target }) => {
  const { seconds: moved, mode, speed } = target.dataset;
  if (moved) act(() => call("POST", "clock/advance", { seconds: moved }));
  if (mode) act(() => call("PUT", "clock", { mode, speed: Number(speed) }));
});
at("profile").addEventListener("change", ({ target }) => act(() => call("PATCH", "sandbox", { profile: target.value })));
at("fail-next").addEventListener("click", () => act(() => call("POST", "next", { apply: JSON.parse(at("next").value) })));
at("operation").addEventListener("change", () => attempt(refresh));

const source = new EventSource(`/_mock/events?sandbox=${sandbox}`);
for (const kind of ["submit", "transition", "callback", "request", "clock", "settings", "dropped"]) {
  source.addEventListener(kind, soon);
}
attempt(refresh);
setInterval(() => { if (!document.hidden) attempt(async () => showClock(await call("GET", "clock"))); }, 1000);
