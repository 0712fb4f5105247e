// The form for a new task.

import { markInvalid, readFields, unmark } from "./fields.js";
import { call } from "./plane.js";

const form = document.getElementById("new-task");
const failed = document.getElementById("new-task-error");
const done = document.getElementById("new-task-done");

const say = (node, words) => {
  node.textContent = words;
  node.hidden = !words;
};

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  unmark(form);
  say(failed, "");
  say(done, "");
  const body = readFields(form);
  if (body.callback_url) body.request_type = "callback";
  try {
    const { data } = await call("POST", "submit", body);
    say(done, `Submitted ${data.taskId}`);
  } catch (error) {
    say(failed, error.status ? `${error.status}: ${error.message}` : `No valid response: ${error.message}`);
    markInvalid(form, error.message);
  }
});
