// Changes the rules of the sandbox. Disabled rules are stored in this tab, each with its former
// position in the list.

import { call, sandbox } from "./plane.js";

const NAME = `rules switched off in ${sandbox}`;
const keep = (rules) => sessionStorage.setItem(NAME, JSON.stringify(rules));

export const switchedOff = () => JSON.parse(sessionStorage.getItem(NAME) ?? "[]");

// Replaces the list of rules by what `change` returns for it and the position of a rule.
const change = async ({ id }, changed) => {
  const { rules } = await call("GET", "rules");
  const place = rules.findIndex((each) => each.id === id);
  if (place < 0) throw new Error("The rule no longer exists.");
  await call("PUT", "rules", { rules: changed(rules, place) });
  return place;
};

export const add = (rule) => call("POST", "rules", rule);

export const replace = async (rule, by) => {
  if (rule.isOn) return change(rule, (rules, place) => rules.with(place, by));
  return keep(switchedOff().map((each) => (each.id === rule.id ? { ...each, ...by } : each)));
};

export const remove = async (rule) => {
  if (rule.isOn) return change(rule, (rules, place) => rules.toSpliced(place, 1));
  return keep(switchedOff().filter((each) => each.id !== rule.id));
};

const switchOff = async (rule) => {
  const place = await remove(rule);
  const { match, apply } = rule;
  const off = switchedOff();
  const next = 1 + Math.max(0, ...off.map((each) => each.id));
  keep([...off, { id: next, place, match, apply }]);
};

const switchOn = async ({ id, place, match, apply }) => {
  const { rules } = await call("GET", "rules");
  await call("PUT", "rules", { rules: rules.toSpliced(place, 0, { match, apply }) });
  keep(switchedOff().filter((each) => each.id !== id));
};

export const toggle = (rule) => (rule.isOn ? switchOff(rule) : switchOn(rule));
