"""Our speed and memory beside PyTorch's, in turns in one process.

    python benchmarks/run.py                        everything, one thread pinned to one core
    python benchmarks/run.py --filter tiny,conv     cases whose name holds one of the words
    python benchmarks/run.py --threads 2 --rounds 9

Each round times ours, then theirs; a cell is the median over the rounds of the time of one call. A ratio below
1 means that ours is faster. `faults` are page faults in a steady call: memory taken from the system anew.
PyTorch is optional; without it the columns stay empty.
"""
import argparse
import json
import math
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

# For --tuned: glibc keeps freed memory instead of giving it back, which PyTorch's CPU allocator relies on.
TUNED = {"MALLOC_TOP_PAD_": str(1 << 30), "MALLOC_MMAP_THRESHOLD_": str(1 << 32),
         "MALLOC_TRIM_THRESHOLD_": str(1 << 40)}

MEMORY_CASES = ("chain_1e7", "conv3x3_128_28_fwdbwd", "train_mlp_b128", "train_lenet_b64", "step_resnet18_b8")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="compute threads, each pinned to a core (default 1)")
    parser.add_argument("--filter", default="", help="only cases whose name holds one of these words, with commas")
    parser.add_argument("--rounds", type=int, default=7, help="rounds per case (default 7)")
    parser.add_argument("--tuned", action="store_true", help="let glibc keep freed memory, to PyTorch's advantage")
    parser.add_argument("--json", metavar="FILE", help="also write the results here")
    parser.add_argument("--no-torch", action="store_true", help="ours only")
    parser.add_argument("--peak", nargs=2, metavar=("LIBRARY", "CASE"), help=argparse.SUPPRESS)
    return parser.parse_args()


def prepare(threads, tuned):
    """Pins the process and sets what the libraries read at import; starts anew where that is needed."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    os.sched_setaffinity(0, cores)
    wanted = {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), **(TUNED if tuned else {})}
    if any(os.environ.get(key) != value for key, value in wanted.items()):
        os.environ.update(wanted)
        os.execv(sys.executable, [sys.executable, *sys.argv])


def import_torch(options):
    if options.no_torch:
        return None
    try:
        import torch
    except ImportError:
        print("torch is not installed: ours only")
        return None
    torch.set_num_threads(options.threads)
    return torch


class Timer:
    """One side of a case: how many calls make a measurable stretch, and the measured times."""

    def __init__(self, make, library):
        self.call, self.wait = make(library)
        self.times = []
        for _ in range(2):
            self.wait(self.call())
        self.count = 1
        while (elapsed := self._stretch()) < 2e-3:
            self.count = max(self.count * 2, int(self.count * 2.5e-3 / max(elapsed, 1e-6)))
        self.faults = self._faults()

    def _stretch(self):
        result = None
        call = self.call
        start = time.perf_counter()
        for _ in range(self.count):
            result = call()
        self.wait(result)
        return time.perf_counter() - start

    def _faults(self):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        self._stretch()
        return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / self.count

    def measure(self, budget=0.05):
        """One round: stretches for `budget` seconds, their median per call."""
        stretches = []
        end = time.perf_counter() + budget
        while not stretches or time.perf_counter() < end:
            stretches.append(self._stretch() / self.count)
        self.times.append(statistics.median(stretches))

    def median(self):
        return statistics.median(self.times)


def run_case(case, mx, torch, rounds):
    """``{"ours": seconds, "theirs": seconds or None, ...}`` of one case."""
    ours, theirs = case
    timers = [Timer(ours, mx)]
    if torch is not None and theirs is not None:
        timers.append(Timer(theirs, torch))
    for _ in range(rounds):
        for timer in timers:
            timer.measure()
    result = {"ours": timers[0].median(), "ours_faults": timers[0].faults, "theirs": None, "theirs_faults": None}
    if len(timers) > 1:
        result.update(theirs=timers[1].median(), theirs_faults=timers[1].faults)
    return result


def seconds_text(x):
    for unit, factor in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if x * factor >= 1:
            return f"{x * factor:.3g} {unit}"
    return f"{x * 1e9:.3g} ns"


def bytes_text(x):
    return f"{x / 2**20:.0f} MB"


def row(name, result, text=seconds_text):
    theirs = result["theirs"]
    ratio = f"{result['ours'] / theirs:.2f}" if theirs else "-"
    faults = [f"{result[k]:.0f}" if result.get(k) is not None else "-" for k in ("ours_faults", "theirs_faults")]
    print(f"{name:26}{text(result['ours']):>11}{text(theirs) if theirs else '-':>11}{ratio:>8}"
          f"{faults[0]:>9}{faults[1]:>9}", flush=True)


def import_time(rounds, library):
    """Seconds that ``import library`` takes beyond ``import numpy``, in processes of their own."""
    def once(statement):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        return time.perf_counter() - start

    once(f"import numpy, {library}")  # fill the caches
    pairs = [(once(f"import numpy, {library}"), once("import numpy")) for _ in range(rounds)]
    return max(statistics.median(a - b for a, b in pairs), 1e-9)


def peak_memory(options, library, case):
    """Highest resident size of a process that runs a case ten times, in bytes."""
    command = [sys.executable, __file__, "--threads", str(options.threads), "--peak", library, case]
    if options.tuned:
        command.append("--tuned")
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def report_peak(library, name):
    """In the child process of `peak_memory`."""
    import cases
    ours, theirs = cases.CASES[name]
    if library == "mxnet":
        import mxnet
        call, wait = ours(mxnet)
    else:
        import torch
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        call, wait = theirs(torch)
    for _ in range(10):
        wait(call())
    # Not ru_maxrss: a child starts with what its parent had when it was forked.
    status = pathlib.Path("/proc/self/status").read_text()
    print(int(status.split("VmHWM:")[1].split()[0]) * 1024)


def other_results(options, has_torch, chosen):
    """Import time and peak memory."""
    results = {}
    if chosen("import"):
        results["import_beyond_numpy"] = {"ours": import_time(options.rounds, "mxnet"),
                                          "theirs": import_time(options.rounds, "torch") if has_torch else None}
        row("import_beyond_numpy", results["import_beyond_numpy"])
    for name in MEMORY_CASES:
        if chosen("memory") or chosen(f"memory_{name}"):
            results[f"memory_{name}"] = {"ours": peak_memory(options, "mxnet", name),
                                         "theirs": peak_memory(options, "torch", name) if has_torch else None}
            row(f"memory_{name}", results[f"memory_{name}"], bytes_text)
    return results


def main():
    options = arguments()
    prepare(options.threads, options.tuned)
    if options.peak:
        return report_peak(*options.peak)
    import mxnet as mx
    torch = import_torch(options)
    import cases
    words = [word for word in options.filter.split(",") if word]

    def chosen(name):
        return not words or any(word in name for word in words)

    print(f"{'case':26}{'ours':>11}{'torch':>11}{'ratio':>8}{'faults':>9}{'torch':>9}")
    results = {}
    for name, case in cases.CASES.items():
        if not chosen(name):
            continue
        try:
            results[name] = run_case(case, mx, torch, options.rounds)
        except Exception as error:  # one case must not cost the others
            print(f"{name:26} failed: {type(error).__name__}: {str(error)[:150]}")
            continue
        row(name, results[name])
    ratios = [r["ours"] / r["theirs"] for r in results.values() if r["theirs"]]
    if ratios:
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        print(f"geometric mean of the ratios: {mean:.2f} over {len(ratios)} cases")
    results.update(other_results(options, torch is not None, chosen))
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"threads": options.threads, "rounds": options.rounds, "tuned": options.tuned,
                       "results": results}, file, indent=1)


if __name__ == "__main__":
    main()
