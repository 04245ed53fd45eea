"""What `/roles` shows: values in, screens out."""

from collections.abc import Collection, Sequence

from auth.roles import BUILT_IN, EVERYONE, GUEST
from auth.sources import RoleSource, SourceKind
from bot.administering.overviews import Holder, Readable, RoleSummary
from bot.administering.wording import counted, policy_in_words
from bot.slack.admin.elements import (
    actions,
    button,
    confirmation,
    context,
    date_picker,
    divider,
    field,
    menu,
    person_picker,
    section,
    text_field,
)
from bot.slack.admin.naming import chosen_of
from bot.slack.admin.screens import Screen, pager, said
from bot.slack.admin.wording import readable_in_words
from bot.slack.views import Block, plain_blocks

HOME, OPEN, MAY_READ, MAY_READ_OF = (
    "admin_roles",
    "admin_role",
    "admin_may_read",
    "admin_may_read_of",
)
NEW, EDIT, DELETE, GIVE, TAKE, UNMAP = (
    "admin_role_new",
    "admin_role_edit",
    "admin_role_delete",
    "admin_role_give",
    "admin_role_take",
    "admin_unmap",
)
MAP_GROUP, MAP_CHANNEL, MAP_FLAG = "admin_map_group", "admin_map_channel", "admin_map_flag"
GIVE_FORM, ROLE_FORM = "admin_give_form", "admin_role_form"
ROLE_FIELD = "admin_role_field"
PAGE = 20
POLICIES_SHOWN = 5

HELP = """\
/roles: every role, who holds it, and what gives it
/roles grant ROLE @somebody because REASON until 2026-12-31 (reason and last day can be left out)
/roles revoke ROLE @somebody
/roles who ROLE
/roles may-read @somebody
/roles help"""


def overview(roles: Sequence[RoleSummary], start: int, options: Sequence[Block]) -> Screen:
    """Every role in a line or two; `options` are all of them, for the menu that leads to one."""
    start = start if 0 <= start < len(roles) else 0
    top = actions(
        button(GIVE, "Give a role", style="primary"),
        button(NEW, "New role"),
        button(MAY_READ, "What may somebody read?"),
        menu(OPEN, options, "Go to a role") if len(roles) > PAGE else None,
    )
    lines = [_in_short(role) for role in roles[start : start + PAGE]]
    return Screen("Roles", [top, divider(), *lines, *pager(HOME, start, PAGE, len(roles))])


def _in_short(role: RoleSummary) -> Block:
    held = (
        "Nobody holds it"
        if not role.holders
        else f"{counted(role.holders, 'person holds', 'people hold')} it"
    )
    through = f", given through {', '.join(role.sources)}" if role.sources else ""
    brings = f". Brings {', '.join(role.inherits)}" if role.inherits else ""
    about = f"{role.description}\n" if role.description else ""
    return section(
        f"{about}{held}{through}{brings}.", heading=role.name, accessory=button(OPEN, "Open", role.name)
    )


def one_role(
    role: RoleSummary,
    holders: Sequence[Holder],
    by_hand: Collection[int],
    sources: Sequence[RoleSource],
    start: int,
) -> Screen:
    """A role with all that gives it. `by_hand`: the ids of people whose grant can be taken away."""
    start = start if 0 <= start < len(holders) else 0
    named = "; ".join(policy_in_words(policy) for policy in role.labels[:POLICIES_SHOWN])
    more = f"; and {len(role.labels) - POLICIES_SHOWN} more" if len(role.labels) > POLICIES_SHOWN else ""
    facts = [
        role.description,
        f"Brings {', '.join(role.inherits)}." if role.inherits else "",
        f"Named by the readers: {named}{more}." if role.labels else "No readers name it.",
    ]
    shown = holders[start : start + PAGE]
    return Screen(
        "Role",
        [
            section("\n".join(fact for fact in facts if fact), heading=role.name),
            *_what_can_be_done(role),
            *(_source(source, role.name) for source in sources),
            divider(),
            context(
                counted(len(holders), "person holds it", "people hold it") if holders else "Nobody holds it."
            ),
            *(_holder(holder, role.name, holder.person.id in by_hand) for holder in shown),
            *pager(OPEN, start, PAGE, len(holders), about=role.name),
        ],
        back=(HOME, "0"),
    )


def _what_can_be_done(role: RoleSummary) -> list[Block]:
    if role.name in {EVERYONE, GUEST}:
        return [context("Slack's own membership decides who holds it.")]
    sure = confirmation(
        f"Delete {role.name}?", "Nobody can hold it any more, and no readers can name it.", "Delete it"
    )
    delete = button(DELETE, "Delete", role.name, style="danger", confirm=sure)
    edit = button(EDIT, "Change", role.name)
    own = role.name not in BUILT_IN
    return [
        actions(
            button(GIVE, "Give it to somebody", role.name, style="primary"), *((edit, delete) if own else ())
        ),
        actions(
            button(MAP_GROUP, "Give it to a user group", role.name),
            button(MAP_CHANNEL, "To a channel", role.name),
            button(MAP_FLAG, "By a workspace flag", role.name),
        ),
    ]


def _source(source: RoleSource, role: str) -> Block:
    guests_too = dict(source.roles).get(role, False) and source.kind is not SourceKind.FLAG
    guests = ", guests too" if guests_too else ""
    state = "" if source.read_at else ". Who is in it is not known: it grants nothing"
    sure = confirmation(
        "Unmap it?",
        f"Whoever holds {role} through {source.in_words} alone loses it at once.",
        "Unmap it",
    )
    undo = button(UNMAP, "Unmap", f"{source.id} {role}", confirm=sure)
    return section(f"Given to {source.in_words}{guests}{state}.", accessory=undo)


def _holder(holder: Holder, role: str, by_hand: bool) -> Block:
    person = holder.person
    sure = confirmation(
        "Take it away?",
        f"@{person.handle} loses {role} at once, as far as it was given by hand.",
        "Take away",
    )
    take = button(TAKE, "Take away", f"{person.slack_user_id} {role}", confirm=sure) if by_hand else None
    return section(f"@{person.handle} ({person.name}): {'; '.join(holder.ways)}", accessory=take)


def give_form(options: Sequence[Block], role: str) -> Screen:
    menu_of_roles = menu(ROLE_FIELD, options, "Choose a role", chosen=chosen_of(options, [role]))
    return Screen(
        "Give a role",
        [
            field("person", "To whom?", person_picker("person")),
            field("role", "Which role?", menu_of_roles),
            field("reason", "Why?", text_field("reason", most=500), hint="For the record.", optional=True),
            field(
                "until",
                "Last day",
                date_picker("until"),
                hint="It ends with this day (UTC). Left empty, it stays until somebody takes it away.",
                optional=True,
            ),
        ],
        form=GIVE_FORM,
        submit="Give it",
        back=(OPEN, role) if role else (HOME, "0"),
        about=role,
    )


def role_form(
    options: Sequence[Block], name: str = "", description: str = "", brings: Sequence[str] = ()
) -> Screen:
    """A new role, or an existing one with what it is."""
    others = [made for made in options if made["value"] != name]
    called = field(
        "name",
        "Name",
        text_field("name", most=63, placeholder="finance"),
        hint="Small letters, figures, - and _. It cannot be changed later.",
    )
    chosen = chosen_of(others, brings)
    brought = menu(ROLE_FIELD, others, "Choose roles", chosen=chosen, several=True)
    return Screen(
        "Change a role" if name else "New role",
        [
            section("", heading=name) if name else called,
            field(
                "description",
                "What is it for?",
                text_field("description", initial=description, most=200),
                optional=True,
            ),
            field(
                "brings",
                "Roles that it brings",
                brought,
                hint="Whoever holds it holds these too.",
                optional=True,
            ),
        ],
        form=ROLE_FORM,
        submit="Change it" if name else "Create it",
        carried={"role": name} if name else {},
        back=(OPEN, name) if name else (HOME, "0"),
        about=name,
    )


def may_read(readable: Readable | None = None) -> Screen:
    """Whoever is chosen: what they hold, and what that opens."""
    ask = section("What may somebody read, and why?", accessory=person_picker(MAY_READ_OF))
    found = plain_blocks(readable_in_words(readable)) if readable else []
    return Screen("What may they read?", [ask, *found], back=(HOME, "0"))


def who_holds(role: str, holders: Sequence[Holder]) -> Screen:
    """The answer to `/roles who`."""
    if not holders:
        return said(f"Nobody holds {role}.").whisper()
    shown = [f"• @{h.person.handle} ({h.person.name}): {'; '.join(h.ways)}" for h in holders[: 2 * PAGE]]
    rest = len(holders) - len(shown)
    more = [f"and {rest} more: /roles shows them all."] if rest else []
    first = f"{counted(len(holders), 'person holds', 'people hold')} {role}:"
    return said("\n".join([first, *shown, *more])).whisper()
