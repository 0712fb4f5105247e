"""Write the generated pages: `python -m tests.pages.reference`."""

from tests.pages.reference.generated import GENERATED_FILES

for path, text in GENERATED_FILES.items():
    path.write_text(text(), "utf-8")
