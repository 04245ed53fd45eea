"""What is measured, for Prometheus: above all how long after a change of rights something may still get out."""

from prometheus_client import Counter, Gauge, Histogram

_SHORT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

DISCLOSED_AFTER_CHANGE = Histogram(
    "ostiary_disclosure_after_change_seconds",
    "Seconds from a change of rights to the end of a sending that was decided before it.",
    buckets=_SHORT,
)
CHECKED_TO_SENT = Histogram(
    "ostiary_check_to_sent_seconds",
    "Seconds from the last check of rights until Slack has taken the message: no change can wait longer.",
    buckets=_SHORT,
)
LEARNED = Histogram(
    "ostiary_change_learned_seconds",
    "Seconds from a change in Slack until it counts here.",
    buckets=(*_SHORT, 60.0, 300.0, 3600.0),
)
ANSWERS = Counter("ostiary_answers_total", "Parts of answers that were sent.", ["part"])
REFUSALS = Counter("ostiary_refusals_total", "Questions on which nothing was found that may be read.")
FEEDBACK = Counter("ostiary_feedback_total", "Verdicts on answers, good or bad.", ["verdict"])
WITHHELD = Counter("ostiary_withheld_total", "Answers not sent, since rights shrank while they were made.")
LOCKS_DISAGREE = Counter("ostiary_locks_disagree_total", "Readings on which the two locks did not agree.")
LAPSED_SOURCES = Gauge("ostiary_lapsed_sources", "Sources of roles that are too old and grant nothing.")
CANARIES_LEAKED = Gauge("ostiary_probe_leaks", "Canaries that got out in the last probe.")
CANARIES_TRIED = Gauge("ostiary_probe_attempts", "Attempts of the last probe.")
