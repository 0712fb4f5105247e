"""What tests do with a page of the dashboard in a browser."""

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.patience import PATIENCE_S

_TEXT = "return [...document.querySelectorAll(arguments[0])].map(n => n.innerText).join('\\n')"


def until(page: webdriver.Chrome, selector: str, words: str) -> None:
    """Wait until an element contains these words."""
    WebDriverWait(page, PATIENCE_S, 0.05).until(
        lambda page: words in page.execute_script(_TEXT, selector), f"{words!r} in {selector}"
    )


def click(page: webdriver.Chrome, selector: str) -> None:
    page.find_element(By.CSS_SELECTOR, selector).click()


def widths(page: webdriver.Chrome, wanted: list[int]) -> None:
    script = "return [...document.images].map((image) => image.naturalWidth)"
    WebDriverWait(page, PATIENCE_S, 0.05).until(
        lambda page: page.execute_script(script) == wanted, f"pictures {wanted} wide"
    )


def focus(page: webdriver.Chrome, selector: str) -> None:
    page.execute_script("document.querySelector(arguments[0]).focus()", selector)


def focused(page: webdriver.Chrome, attribute: str) -> str | None:
    return page.switch_to.active_element.get_attribute(attribute)
