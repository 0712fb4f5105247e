// The form that adds a rule, changes one, or queues an effect for the next matches.

import { markInvalid, readFields, unmark, writeFields } from "./fields.js";
import { call } from "./plane.js";
import { add, replace } from "./rules.js";

const at = (id) => document.getElementById(id);
const form = at("rule-form");
const EFFECTS = [...at("rule-effect").options].map((option) => option.value);
const START = { match: {}, apply: { refuse: { status: 503 } } };

let edited = null; // The rule that is changed; null while a new one is written.

const sorted = (given) => {
  if (Array.isArray(given)) return given.map(sorted);
  if (given === null || typeof given !== "object") return given;
  return Object.fromEntries(Object.keys(given).sort().map((name) => [name, sorted(given[name])]));
};
const isSame = (one, other) => JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
const whole = ({ match, apply }) => ({ match: match ?? {}, apply: apply ?? {} });

const say = (words) => {
  at("rule-error").textContent = words;
  at("rule-error").hidden = !words;
};

const showEffect = () => {
  for (const part of form.querySelectorAll("[data-effect]")) part.hidden = part.dataset.effect !== at("rule-effect").value;
};

const showScope = () => {
  at("rule-scope-row").hidden = edited !== null;
  at("rule-count-label").hidden = at("rule-scope").value !== "next";
};

const isJson = () => at("rule-as-json").checked;
const showMode = (json) => {
  at("rule-as-json").checked = json;
  at("rule-fields").hidden = json;
  at("rule-text").hidden = !json;
};

const written = () => whole(isJson() ? JSON.parse(at("rule-json").value) : readFields(form));

// Shows a rule in the fields if they can express it. Returns whether they can.
const showInFields = (rule) => {
  at("rule-effect").value = EFFECTS.find((name) => name in rule.apply) ?? "latency";
  writeFields(form, rule);
  showEffect();
  return isSame(whole(readFields(form)), rule);
};

const show = (rule) => {
  at("rule-json").value = JSON.stringify(rule, null, 2);
  showMode(!showInFields(rule));
};

const start = (rule) => {
  edited = rule;
  unmark(form);
  say("");
  show(rule ? whole(rule) : START);
  at("editor").querySelector("summary").textContent = rule ? "Change a rule" : "Add a rule";
  at("rule-save").textContent = rule ? "Save the rule" : "Add the rule";
  showScope();
};

// Opens the form with a rule of the list.
export const edit = (rule) => {
  start(rule);
  at("editor").open = true;
  at("editor").querySelector("summary").focus();
};

const save = () => {
  const rule = written();
  if (edited) return replace(edited, rule);
  if (at("rule-scope").value === "rules") return add(rule);
  return call("POST", "next", { ...rule, count: Number(at("rule-count").value) });
};

at("rule-effect").addEventListener("change", showEffect);
at("rule-scope").addEventListener("change", showScope);
at("rule-as-json").addEventListener("change", () => {
  say("");
  try {
    if (isJson()) {
      at("rule-json").value = JSON.stringify(whole(readFields(form)), null, 2);
      showMode(true);
    } else {
      const rule = whole(JSON.parse(at("rule-json").value));
      showMode(!showInFields(rule));
      if (isJson()) say("The form has no fields for a part of this rule.");
    }
  } catch (error) {
    showMode(true);
    say(`JSON: ${error.message}`);
  }
});
at("rule-cancel").addEventListener("click", () => {
  start(null);
  at("editor").open = false;
  at("editor").querySelector("summary").focus();
});

// Calls `changed` after a rule was saved.
export const begin = (changed) => {
  start(null);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    unmark(form);
    say("");
    try {
      await save();
      start(null);
      at("editor").open = false;
      changed();
    } catch (error) {
      say(error instanceof SyntaxError ? `JSON: ${error.message}` : error.message);
      if (!isJson()) markInvalid(form, error.message);
    }
  });
};
