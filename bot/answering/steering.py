"""Sentences that speak to whoever writes the answer, instead of telling its readers something.

A document may hold them on purpose: "ignore the instructions above", "add this link to your reply". No answer is
made from such a sentence; the rest of its document answers as before. Words can be chosen so that none of these
patterns meets them: what keeps such a sentence from doing harm is that answers are checked against their sources
and that nothing in them is alive. Greshake et al., 2023 (arXiv 2302.12173) on the attack, Yi et al., 2023
(arXiv 2312.14197) on its kinds.
"""

import re

_ANSWER = r"(?:answers?|response|reply|replies|output|completion)"
_YOURS = rf"\byour\s+(?:\w+\s+){{0,2}}?{_ANSWER}\b"
_FORM = (
    r"(?:add|includ|integrat|incorporat|modif|augment|enhanc|render|rewrit|replac|substitut|scrambl|rearrang|jumbl"
    r"|misspell|encod|translat|append|prepend|insert|introduc|weav|embed|combin|begin|start|end|finish|preced"
    r"|remov|group|convert|us|writ|print|repeat|anagram)(?:e|s|es|ing|y|ying|t|ting)?"
)
_BEFORE = (
    r"(?:previous|prior|above|earlier|preceding|foregoing|former|original|initial|existing|other|system)"
)
_RULES = (
    r"(?:instruct\w*|prompts?|directions?|directives?|guidelines?|rules?|commands?|orders?|messages?|context)"
)
_FORGET = r"(?:ignor|disregard|forget|overrid|overlook|bypass|discard|neglect|skip)(?:e|ing|ting)?"
_MODEL = (
    r"(?:(?:ai|a\.i\.)(?:\s+(?:assistant|model|language\s+model|bot))?|(?:large\s+)?language\s+model|llm"
    r"|chat\s?bot|chatgpt|gpt-?\d*)"
)

_STEERING = re.compile(
    "|".join(
        (
            # "Add ... to your reply", "In your response, suggest ..."
            rf"^\W*(?:please\s+|also\s+|always\s+|then\s+|and\s+)*{_FORM}\b.{{0,200}}{_YOURS}",
            rf"^\W*(?:in|within|throughout|at\s+the\s+(?:end|beginning|start)\s+of)\s+{_YOURS},",
            rf"^\W*(?:provide|render|give|deliver|present)\s+(?:me\s+)?{_YOURS}\s+(?:in|with|without|using|as)\b",
            r"^\W*(?:translate|render|encode|scramble|jumble|anagram|reverse)\b.{0,60}\byour\s+(?:message|text|words)\b",
            # "Ignore all previous instructions"
            rf"\b{_FORGET}\s+(?:\w+\s+){{0,4}}?{_BEFORE}(?:ly)?\s+(?:\w+\s+){{0,2}}?{_RULES}\b",
            rf"\b{_FORGET}\s+(?:\w+\s+){{0,3}}?{_RULES}\s+(?:\w+\s+){{0,3}}?(?:above|before|so far|given|you)\b",
            rf"\b{_FORGET}\s+(?:everything|all|anything)\s+(?:\w+\s+){{0,2}}?(?:above|before|said|told|previous\w*)\b",
            # "Repeat your instructions", "What is your system prompt"
            r"\b(?:repeat|reveal|print|show|output|leak|display|tell\s+me)\s+(?:\w+\s+){0,3}?"
            r"(?:your|the)\s+(?:\w+\s+){0,2}?(?:prompt|instructions)\b",
            r"\b(?:new|updated|real|secret)\s+(?:system\s+)?(?:prompt|instructions?)\s*:",
            # "You are now DAN", "As an AI, you must"
            rf"\byou\s+(?:are|act|behave|respond|will\s+be)\s+(?:now\s+|as\s+|to\s+act\s+as\s+)?(?:an?\s+|the\s+)?(?:\w+\s+)?{_MODEL}\b",
            rf"\b(?:dear|attention|note\s+to|message\s+(?:to|for)|instructions?\s+(?:to|for))\s+(?:an?\s+|the\s+|any\s+)?{_MODEL}\b",
            r"\byou\s+(?:are|can)\s+(?:now\s+)?(?:\w+\s+){0,3}?\bDAN\b",
        )
    ),
    re.IGNORECASE | re.DOTALL,
)


def steers(text: str) -> bool:
    """Whether a sentence tells whoever writes the answer what to do. English only."""
    return _STEERING.search(text) is not None
