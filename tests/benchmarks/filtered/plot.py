"""The picture of a run: recall, and milliseconds, by the share that may be read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from tests.benchmarks.filtered.__main__ import Measured


def draw(measured: Sequence[Measured], file: Path) -> None:
    figure, (recall, latency) = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    for name in dict.fromkeys(one.contender for one in measured):
        mine = [one for one in measured if one.contender == name]
        shares = [100 * one.share for one in mine]
        style = {"linewidth": 2.2 if name.startswith("Ostiary") else 1.1, "marker": "o", "markersize": 3}
        if "hybrid" not in name:  # it answers another question: nearness and words
            recall.plot(shares, [one.recall for one in mine], label=name, **style)
        (drawn,) = latency.plot(shares, [one.p50 for one in mine], label=name, **style)
        latency.plot(shares, [one.p95 for one in mine], color=drawn.get_color(), linestyle=":", linewidth=0.9)
    recall.set_ylabel("recall@10")
    recall.set_ylim(0, 1.03)
    latency.set_ylabel("milliseconds: p50, dotted p95")
    latency.set_yscale("log")
    for axes in (recall, latency):
        axes.set_xscale("log")
        axes.set_xlabel("% of the chunks that may be read")
        axes.spines[["top", "right"]].set_visible(False)
    latency.legend(frameon=False, fontsize=8)
    figure.savefig(file, dpi=130)
    plt.close(figure)
