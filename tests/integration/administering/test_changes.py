"""Changes by administrators: what they do is what was foretold, and nobody else makes them."""

from auth.labels import parse_policy
from auth.roles import ADMIN
from bot.administering.administration import Administration
from bot.administering.changes import GrantRole, RelabelDocuments
from tests.integration.administering.conftest import Company, shifts


async def test_a_grant_opens_what_it_was_foretold_to_open(
    company: Company, administration: Administration
) -> None:
    change = GrantRole(company.people["ben"], "finance")
    foretold = await administration.preview(change, "UODILE")
    assert shifts(foretold.gained) == {"ben": 1}
    done = await administration.carry_out(change, "UODILE")
    assert done.effect == foretold
    assert await company.readable("ben") == {"handbook", "budget"}


async def test_undo(company: Company, administration: Administration) -> None:
    before = await company.state()
    done = await administration.carry_out(
        RelabelDocuments((company.documents["budget"],), parse_policy("hr")), "UODILE"
    )
    assert shifts(done.effect.lost) == {"priya": 1}
    assert done.change_id
    undone = await administration.undo(done.change_id, "UODILE")
    assert shifts(undone.effect.gained) == {"priya": 1}
    assert await company.state() == before
    print(done.effect.in_words(), undone)
    print(
        await administration.roles(), await administration.holders(ADMIN), await administration.collections()
    )
    print(await administration.labels(), await administration.readable_by(company.people["priya"]))
    print(
        await administration.documents(None),
        (await administration.explain(company.people["gus"], 2)).in_words(),
    )
