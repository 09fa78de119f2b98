"""Runs an example in its short mode, as its README says."""

import os
import subprocess
import sys


def short_run(example, folder, *more):
    """Exit status, output and the file with the picture."""
    picture = os.path.join(folder, "picture.svg")
    command = [sys.executable, str(example / "run.py"), "--short", "--picture", picture, *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    print(done.stdout)
    return done.returncode, done.stdout, picture
