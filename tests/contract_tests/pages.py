"""What tests of the pages of reports do with a page."""

from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

LIGHTNESS = """
const context = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
function lightness(colours) {
  for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
  const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((part) => {
    const share = part / 255;
    return share <= .03928 ? share / 12.92 : ((share + .055) / 1.055) ** 2.4;
  });
  return .2126 * r + .7152 * g + .0722 * b;
}
function holdsText(element) {
  return element.checkVisibility() && [...element.childNodes].some(
    (node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
}
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
return [...document.querySelectorAll("body *")].filter(holdsText).map((element) => {
  const grounds = [];
  for (let each = element; each; each = each.parentElement) {
    grounds.unshift(getComputedStyle(each).backgroundColor);
  }
  grounds.unshift(dark ? "#121212" : "#ffffff");
  const text = lightness([...grounds, getComputedStyle(element).color]);
  return [text, lightness(grounds), `${element.tagName}.${element.className}`];
});
"""


def ratio(one: float, other: float) -> float:
    """Return the contrast as WCAG counts it."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def shown(page: Chrome) -> list[str]:
    articles = page.find_elements(By.TAG_NAME, "article")
    return [str(each.get_attribute("id")) for each in articles if each.is_displayed()]


def button(page: Chrome, verdict: str) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, f"button[data-verdict={verdict}]")


def press(page: Chrome, *keys: str) -> None:
    ActionChains(page).send_keys(*keys).perform()


def tab_to(page: Chrome, selector: str) -> None:
    wanted = page.find_element(By.CSS_SELECTOR, selector)
    for _ in range(20):
        press(page, Keys.TAB)
        if page.switch_to.active_element == wanted:
            return
    raise AssertionError(f"{selector} is not reached with the keyboard")


def everything_open(page: Chrome) -> None:
    page.execute_script("document.querySelectorAll('details').forEach((each) => each.open = true)")
