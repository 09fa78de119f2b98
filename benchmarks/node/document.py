"""Renews the tables of a document, between marks in it, and the plots that it shows."""

import os
import re
import shutil


def renew(document, texts, plots_from, plots_to):
    """Puts each text between its marks, `<!-- name -->` and `<!-- end -->`, and copies the plots."""
    with open(document, encoding="utf-8") as file:
        content = file.read()
    for name, text in texts.items():
        content, count = re.subn(rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda found, text=text: found[1] + text + "\n" + found[2],
                                 content, flags=re.DOTALL)
        if count != 1:
            raise SystemExit(f"{document} has no place for {name}")
    with open(document, "w", encoding="utf-8") as file:
        file.write(content)
    for name in os.listdir(plots_from):
        if name.endswith(".svg"):
            shutil.copy(os.path.join(plots_from, name), os.path.join(plots_to, name))
