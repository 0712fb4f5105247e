// Stores disabled rules in this tab, each with its former position in the list.

import { call, sandbox } from "./plane.js";

const NAME = `rules switched off in ${sandbox}`;
const keep = (rules) => sessionStorage.setItem(NAME, JSON.stringify(rules));

export const switchedOff = () => JSON.parse(sessionStorage.getItem(NAME) ?? "[]");

const switchOff = async ({ id, match, apply }) => {
  const { rules } = await call("GET", "rules");
  const place = rules.findIndex((each) => each.id === id);
  if (place < 0) return;
  await call("PUT", "rules", { rules: rules.toSpliced(place, 1) });
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
