"""The fields in which readers are chosen or written, and what was entered in them."""

from collections.abc import Sequence

from auth.labels import NOBODY, Clause, Policy, UnreadablePolicy, parse_policy
from bot.slack.admin.elements import field, menu, one_of, text_field
from bot.slack.admin.entered import Entered, NotFilledIn
from bot.slack.admin.naming import chosen_of
from bot.slack.admin.role_screens import ROLE_FIELD
from bot.slack.views import Block

ANY, ALL = "any", "all"


def readers_fields(options: Sequence[Block], policy: Policy | None) -> list[Block]:
    """Roles with any or all, roles that must not be held; and a line for what those cannot say."""
    roles, rule, barred = _as_chosen(policy) if policy else ((), ANY, ())
    written = "" if policy is None or roles else str(policy)
    readers = menu(ROLE_FIELD, options, "Choose roles", chosen=chosen_of(options, roles), several=True)
    excepted = menu(ROLE_FIELD, options, "Choose roles", chosen=chosen_of(options, barred), several=True)
    rules = {ANY: "Any one of these roles", ALL: "All of these roles"}
    return [
        field("readers", "Who may read it?", readers, optional=True),
        field("rule", "Readers need", one_of("rule", rules, rule)),
        field("except", "But not who holds", excepted, optional=True),
        field(
            "written",
            "Or written out",
            text_field("written", initial=written, placeholder="finance+leadership,hr+!contractor"),
            hint="Instead of the above: a comma for any of them, a plus where all are needed, an exclamation mark"
            " for what must not be held. Or: nobody.",
            optional=True,
        ),
    ]


def readers_entered(entered: Entered) -> Policy:
    """Raises NotFilledIn."""
    if written := entered.text("written"):
        try:
            return parse_policy(written)
        except UnreadablePolicy as error:
            raise NotFilledIn("written", str(error)) from error
    roles, barred = entered.options("readers"), frozenset(entered.options("except"))
    if not roles:
        raise NotFilledIn("readers", "Choose at least one role. For no readers at all, write: nobody.")
    sets = [frozenset(roles)] if entered.option("rule") == ALL else [frozenset({role}) for role in roles]
    return Policy(frozenset(Clause(held) for held in sets)).but_not(barred)


def _as_chosen(policy: Policy) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """(roles, rule, barred) as the menus would say it; nothing where they cannot."""
    barred = {clause.none_of for clause in policy.clauses}
    if policy == NOBODY or len(barred) != 1:
        return (), ANY, ()
    excluded = tuple(sorted(next(iter(barred))))
    clauses = [clause.all_of for clause in policy.clauses]
    if all(len(held) == 1 for held in clauses):
        return tuple(sorted(role for held in clauses for role in held)), ANY, excluded
    return (tuple(sorted(clauses[0])), ALL, excluded) if len(clauses) == 1 else ((), ANY, ())
