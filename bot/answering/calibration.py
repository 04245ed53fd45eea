"""From features to decisions: logistic regressions, whose few numbers stand here with where they come from."""

from dataclasses import dataclass

import numpy as np

FEATURES = ("cosine", "coverage", "coverage_above", "kind", "gain")


@dataclass(frozen=True)
class Calibration:
    """Weights for choosing a unit (`choice`, one a feature) and for trusting the best one (`trust`).

    `trust` has one weight for each of FEATURES of the best unit, one for the lead of its score over the mean of
    the others, and a constant at the end. `nearness`: how far below the best, in log-odds, a unit may be and
    still stand beside it. `threshold`: the confidence under which there are no grounds.
    """

    choice: tuple[float, ...]
    trust: tuple[float, ...]
    nearness: float
    threshold: float

    def scores(self, table: np.ndarray) -> np.ndarray:
        """Log-odds, up to a constant, that each row of features (n, 5) is the answer's."""
        scores: np.ndarray = table @ np.asarray(self.choice)
        return scores

    def confidence(self, best: np.ndarray, scores: np.ndarray) -> float:
        """The probability that the best unit holds an answer, from its features and all scores."""
        others = np.delete(scores, int(scores.argmax()))
        lead = float(scores.max() - others.mean()) if len(others) else 0.0
        logit = float(np.concatenate([best, [lead, 1.0]]) @ np.asarray(self.trust))
        return float(1 / (1 + np.exp(-logit)))


WITH_LIKELIHOOD = Calibration(
    choice=(6.0, 2.0, 1.0, 0.3, 1.5), trust=(5.0, 1.0, 2.0, 0.2, 1.0, 0.0, -5.0), nearness=1.0, threshold=0.5
)
WITHOUT_LIKELIHOOD = Calibration(
    choice=(8.0, 2.0, 1.0, 0.3, 0.0), trust=(7.0, 1.0, 2.0, 0.2, 0.0, 0.0, -5.0), nearness=1.0, threshold=0.5
)
