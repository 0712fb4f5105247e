"use strict";
const search = document.getElementById("search");
const none = document.getElementById("none");
const buttons = [...document.querySelectorAll("button[data-verdict]")];
const articles = [...document.querySelectorAll("article")];
const words = articles.map((article) => article.textContent.toLowerCase());
function choose() {
  const wanted = new Set(buttons.filter((button) => button.ariaPressed === "true").map((button) => button.dataset.verdict));
  const text = search.value.trim().toLowerCase();
  articles.forEach((article, number) => {
    article.hidden = !((wanted.size === 0 || wanted.has(article.dataset.verdict)) && words[number].includes(text));
  });
  none.textContent = articles.every((article) => article.hidden) ? "Nothing matches." : "";
}
for (const button of buttons) {
  button.addEventListener("click", () => {
    button.ariaPressed = button.ariaPressed === "true" ? "false" : "true";
    choose();
  });
}
search.addEventListener("input", choose);
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  const target = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (target && target.closest("[hidden]")) {
    search.value = "";
    for (const button of buttons) button.ariaPressed = "false";
    choose();
  }
});
choose();
