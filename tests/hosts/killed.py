#!/usr/bin/env python3
"""Runs PROGRAM and kills it, as a machine that loses power would, behind its AFTER-th state.

A host loads this in the place of the program.
"""

import os
import subprocess
import sys

program = subprocess.Popen([os.environ["PROGRAM"], *sys.argv[1:]], stdout=subprocess.PIPE)
states = 0
for line in program.stdout:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
    states += line.startswith(b'{"type":"STATE"')
    if states == int(os.environ["AFTER"]):
        program.kill()
        break
status = program.wait()
sys.exit(status if status >= 0 else 128 - status)
