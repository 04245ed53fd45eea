"""The picture of a run: nDCG@10 of each method on each set, with intervals."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt


def draw(told: dict[str, Any], file: Path) -> None:
    """`told` is what quality.json holds."""
    methods = list(dict.fromkeys(name for one in told.values() for name in one["methods"]))
    figure, axes = plt.subplots(figsize=(2 + 2 * len(told), 4), layout="constrained")
    width = 0.8 / len(methods)
    for at, method in enumerate(methods):
        measured = [one["methods"][method]["nDCG@10"] for one in told.values()]
        means = [m["mean"] for m in measured]
        whiskers = [[m["mean"] - m["low"] for m in measured], [m["high"] - m["mean"] for m in measured]]
        places = [place + (at - (len(methods) - 1) / 2) * width for place in range(len(told))]
        axes.bar(places, means, width * 0.92, label=method, yerr=whiskers, error_kw={"linewidth": 0.8})
    axes.set_xticks(range(len(told)), list(told))
    axes.set_ylabel("nDCG@10")
    axes.set_ylim(0, 1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=min(len(methods), 4), loc="upper center", bbox_to_anchor=(0.5, 1.18))
    figure.savefig(file, dpi=130)
    plt.close(figure)
