"""What every peer needs, without torch: crossflow's programs, rows of the same table (bench/measure.h), and what two depths of a
model tell: what one decoder layer takes, and so what a whole pass does."""
import csv
import io
import os
import statistics
import subprocess
import sys

WHOLE_DEPTH = 32  # layers of LLaVA-1.5-7B


def wrong(text):
    sys.exit(f"WRONG RESULT, nothing is timed: {text}")


def crossflow(programs, name, *arguments):
    """Runs one of crossflow's benchmark programs; the rows of its table."""
    environment = {"GOMP_SPINCOUNT": "1000"} | os.environ
    if "CF_LIBRARIES" in environment:  # bench/gpu.sh's, for them alone
        environment["LD_LIBRARY_PATH"] = environment["CF_LIBRARIES"]
    done = subprocess.run([os.path.join(programs, "bench_" + name), *map(str, arguments)], env=environment, check=True,
                          stdout=subprocess.PIPE, text=True)
    return list(csv.DictReader(io.StringIO(done.stdout)))


def median_of(rows, ending):
    found = [r for r in rows if r["what"].endswith(ending)]
    if len(found) != 1:
        wrong(f"{len(found)} rows end in {ending!r}")
    return float(found[0]["median"])


def print_head():
    print("version,processor,threads,question,what,unit,n,median,min,max,of,ratio,target", flush=True)


def print_row(version, question, what, unit, values, of, threads, target=""):
    processor = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                      if line.startswith("model name")), "unknown").replace(",", " ")
    median = statistics.median(values)
    beside = f"{of:.6g},{median / of:.3f}" if of else ","
    print(f"{version},{processor},{threads},{question},{what},{unit},{len(values)},{median:.6g},{min(values):.6g},"
          f"{max(values):.6g},{beside},{target}", flush=True)


class Turns:
    """Seconds of a peer and of crossflow by (depth, quantity), a median a turn."""

    def __init__(self, depths):
        self.depths, self.theirs, self.ours = depths, {}, {}

    def add(self, depth, quantity, theirs, ours):
        self.theirs.setdefault((depth, quantity), []).append(statistics.median(theirs))
        self.ours.setdefault((depth, quantity), []).append(ours)

    def of(self, depth, quantity):
        """(theirs, ours), a value a turn."""
        return self.theirs[depth, quantity], self.ours[depth, quantity]

    def alone(self, quantity):
        """At the smaller depth."""
        return self.of(self.depths[0], quantity)

    def layer(self, quantity):
        few, many = self.depths
        return tuple([(b - a) / (many - few) for a, b in zip(side[few, quantity], side[many, quantity])]
                     for side in (self.theirs, self.ours))

    def whole(self, quantity):
        """At full depth."""
        return tuple([a + (WHOLE_DEPTH - self.depths[0]) * b for a, b in zip(*pair)]
                     for pair in zip(self.alone(quantity), self.layer(quantity)))


    @staticmethod
    def print(version, shape, name, threads, quantities):
        """Rows of {what: (theirs, ours)}, a value a turn."""
        for what, (theirs, ours) in quantities.items():
            print_row(version, "forward", f"{shape}: {what}: {name} to crossflow", "s", theirs, statistics.median(ours), threads,
                      ">= 1")
