"""The picture of a run: documents and megabytes a minute of both pipelines."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt


def draw(told: dict[str, Any], file: Path) -> None:
    """`told` is what ingestion.json holds."""
    corpora = told["corpora"]
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.5), layout="constrained")
    for one, (key, name) in zip(
        axes, (("documents", "documents a minute"), ("mb", "MB a minute")), strict=True
    ):
        for at, pipeline in enumerate(("usual", "ostiary")):
            values = [corpus[pipeline][f"{key}_a_minute"] for corpus in corpora.values()]
            bars = one.bar(
                [place + (at - 0.5) * 0.4 for place in range(len(corpora))], values, 0.38, label=pipeline
            )
            one.bar_label(bars, fmt="%.3g", fontsize=8)
        one.set_xticks(range(len(corpora)), list(corpora))
        one.set_ylabel(name)
        one.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False)
    figure.savefig(file, dpi=130)
    plt.close(figure)
