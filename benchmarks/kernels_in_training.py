"""One training step with the compiled kernels against one without: `python -m benchmarks.kernels_in_training`.

Processes with and without take turns (`benchmarks.step`, `--plain`), so that both see the same machine; medians
of the rounds are compared.
"""

import argparse
import re
import statistics
import subprocess
import sys

RATE = re.compile(r"^(\w+) step, .*: ([\d.]+) images/s$", re.MULTILINE)


def rates(options: list[str]) -> dict[str, float]:
    """Images per second of each stage in one process."""
    command = [sys.executable, "-m", "benchmarks.step", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    if "--plain" not in options and "run plain: none" not in done.stdout:
        sys.exit(f"kernels_in_training: there are no kernels to compare with: {done.stdout.splitlines()[0]}")
    return {name: float(rate) for name, rate in RATE.findall(done.stdout)}


def main() -> None:
    """Print the ratio of every stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    chosen, options = parser.parse_known_args()
    rounds = [(rates(options), rates([*options, "--plain"])) for _ in range(chosen.rounds)]
    for stage in rounds[0][0]:
        compiled, plain = (statistics.median(pair[which][stage] for pair in rounds) for which in (0, 1))
        ratio = f"{compiled:.1f} images/s, plain {plain:.1f}, {compiled / plain:.2f}x"
        print(f"{stage} step {' '.join(options)}: {ratio}")


if __name__ == "__main__":
    main()
