// Reads and writes forms whose controls name a member of a JSON document in data-path.
//
// data-kind says how the text of a control is read:
// text     a string
// number   a number
// value    a number, JSON, or else a string
// lines    a list of strings, one per line
// flag     true if the box is checked
// choices  the values of checked boxes: one string, or a list
// header   an object with one member, from "Name: value"
// fault    a name, or an object with one member if the option needs a value
// An empty control is not part of the document.

const NUMBER = /^-?\d+(\.\d+)?$/;

const value = (text) => {
  if (NUMBER.test(text)) return Number(text);
  return /^[[{"]/.test(text) ? JSON.parse(text) : text;
};
const shownValue = (given) => (typeof given === "object" ? JSON.stringify(given) : String(given));
const boxes = (node) => [...node.querySelectorAll("input")];
const single = (given) => (given && typeof given === "object" ? Object.entries(given)[0] ?? [] : [given]);
const valueOf = (node) => document.getElementById(node.dataset.value);

const READERS = {
  text: ({ value: text }) => text,
  number: ({ value: text }) => Number(text),
  value: ({ value: text }) => value(text.trim()),
  lines: ({ value: text }) => text.split("\n").map((line) => line.trim()).filter(Boolean),
  flag: ({ checked }) => checked || undefined,
  choices: (node) => {
    const chosen = boxes(node).filter(({ checked }) => checked).map((box) => box.value);
    return chosen.length > 1 ? chosen : chosen[0];
  },
  header: ({ value: text }) => {
    const [name, ...rest] = text.split(":");
    return { [name.trim()]: rest.join(":").trim() };
  },
  fault: (node) => {
    const needsValue = "needsValue" in node.selectedOptions[0].dataset;
    return needsValue ? { [node.value]: value(valueOf(node).value.trim()) } : node.value;
  },
};

const WRITERS = {
  flag: (node, given) => { node.checked = given === true; },
  choices: (node, given) => { for (const box of boxes(node)) box.checked = [given].flat().includes(box.value); },
  lines: (node, given) => { node.value = (given ?? []).join("\n"); },
  value: (node, given) => { node.value = given == null ? "" : shownValue(given); },
  header: (node, given) => { node.value = given ? single(given).join(": ") : ""; },
  fault: (node, given) => {
    const [name, its] = single(given);
    node.value = name ?? node.options[0].value;
    valueOf(node).value = its == null ? "" : shownValue(its);
  },
};
const writeText = (node, given) => { node.value = given ?? node.options?.[0].value ?? ""; };

const isEmpty = (node) => "value" in node && node.dataset.kind !== "flag" && node.value.trim() === "";
const controls = (form) => [...form.querySelectorAll("[data-path]")];

const put = (whole, path, given) => {
  const names = path.split(".");
  const last = names.pop();
  let place = whole;
  for (const name of names) place = place[name] ??= {};
  place[last] = given;
};
const get = (whole, path) => path.split(".").reduce((place, name) => place?.[name], whole);

// Returns the document of all controls that are not within a hidden part with data-effect.
export const readFields = (form) => {
  const whole = {};
  for (const node of controls(form)) {
    if (node.closest("[data-effect][hidden]") || isEmpty(node)) continue;
    const given = READERS[node.dataset.kind](node);
    if (given !== undefined) put(whole, node.dataset.path, given);
  }
  return whole;
};

export const writeFields = (form, whole) => {
  for (const node of controls(form)) (WRITERS[node.dataset.kind] ?? writeText)(node, get(whole, node.dataset.path));
};

// Marks the control that an error names by its path, and moves the focus to it.
export const markInvalid = (form, message) => {
  const named = controls(form).filter(({ dataset: { path } }) => message.includes(path));
  const node = named.sort((a, b) => b.dataset.path.length - a.dataset.path.length)[0];
  if (!node) return;
  node.setAttribute("aria-invalid", "true");
  for (let each = node.parentElement; each !== form; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
  node.focus();
};

export const unmark = (form) => {
  for (const node of form.querySelectorAll("[aria-invalid]")) node.removeAttribute("aria-invalid");
};
