"""The manual page tells every option of axld, as the program itself lists them, and none that it does not have.

    manual_test.py AXLD PAGE
"""
import re
import shutil
import subprocess
import sys


def main():
    axld, page = sys.argv[1:]
    listed = subprocess.run([axld, "-help"], stderr=subprocess.PIPE, text=True, check=True).stderr
    options = {name: value for name, value in re.findall(r"^  -(\S+)(?: (\S+))?$", listed, re.M)}
    with open(page, encoding="utf-8") as file:
        text = file.read()
    shown = {}
    for item in re.findall(r"^\.It Fl (.*)$", text, re.M):
        for flag in item.split(" , Fl "):
            name, _, value = flag.partition(" ")
            shown[name] = re.sub(r"^(Ar|Cm) ", "", value).replace(" ", "")
    synopsis = text.split(".Sh SYNOPSIS")[1].split(".Sh")[0]
    faults = [f"not in the page: -{name} {value}" for name, value in options.items() if shown.get(name) != value]
    faults += [f"not an option: -{name}" for name in shown if name not in options]
    faults += [f"not in the synopsis: -{name}" for name in options
               if name != "h" and not re.search(rf"(?:Fl|\|) (?:\S+ \| )*{re.escape(name)}\b", synopsis)]
    if shutil.which("man"):
        said = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, check=True).stderr
        faults += said.splitlines()
    for fault in faults:
        print(fault)
    print(f"{len(options)} options, {len(faults)} faults")
    return 1 if faults or len(options) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
