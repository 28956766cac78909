"""Who of a project comes, stays and goes in one run, and who must be able to pass which folder. Pure."""

from collections.abc import Iterable, Mapping

from rserver_acls.plan import Plan
from rserver_acls.refusal import Refusal
from rserver_acls.request import Request
from rserver_acls.store import JOINING, LEAVING, MEMBER, PAST, Person, Project

MOST_PEOPLE = 240


def begun(project: Project, request: Request, uids: Mapping[str, int], now: int) -> Project:
    """The project as it is remembered while the run is under way; Refusal. uids: of the members named."""
    people = dict(project.people)
    if request.action == "share":
        for name, uid in uids.items():
            _check_same(name, uid, people)
            if name not in people or people[name].standing != MEMBER:
                people[name] = Person(uid, JOINING)
    elif request.action == "unshare":
        for name in request.members or _present(people):
            if name not in people and name not in uids:
                continue
            people[name] = Person(people[name].uid if name in people else uids[name], LEAVING)
    else:
        _check_members(request, people)
    if len(_present(people)) > MOST_PEOPLE:
        raise Refusal("too_many", f"A project can be shared with at most {MOST_PEOPLE} people.")
    started = any(person.standing == JOINING for person in people.values())
    return project._replace(people=people, since=(project.since or now) if started else 0)


def ended(project: Project, request: Request, *, unfinished: bool, expected: int) -> Project:
    """The project as it is remembered after the run."""
    people = {}
    for name, person in project.people.items():
        if person.standing == JOINING and request.action == "share" and name in request.members:
            people[name] = person._replace(standing=MEMBER)
        elif person.standing != LEAVING or unfinished:
            people[name] = person
        else:
            people[name] = person._replace(standing=PAST)
    people = _with_few_past(people)
    since = project.since if any(person.standing == JOINING for person in people.values()) else 0
    return project._replace(people=people, since=since, expected=expected)


def plan(owner: int, before: Project, now: Project, request: Request) -> Plan:
    """What the run does to every object."""
    leaving = now.uids(LEAVING) - now.uids(MEMBER, JOINING)
    named = frozenset(now.people[name].uid for name in request.members if name in now.people)
    giving = frozenset[int]()
    if request.action == "share":
        giving = now.uids(MEMBER) | named
    elif request.action != "unshare":
        giving = named or now.uids(MEMBER)
    return Plan(
        owner,
        before=before.uids(MEMBER, LEAVING) | (leaving - before.uids(JOINING)),
        giving=giving,
        leaving=leaving,
        staying=now.uids(MEMBER) | giving,
        joining=before.uids(JOINING) | now.uids(JOINING),
        past=now.uids(PAST) if request.action == "unshare" else frozenset(),
    )


def passers(path: str, projects: Mapping[str, Project], named: Iterable[int]) -> frozenset[int]:
    """Who must be able to pass the folder at path, for any of the owner's projects. named: who is about to join."""
    found = set(named)
    for folder, project in projects.items():
        if folder.startswith(path + "/"):
            found |= project.uids(MEMBER)
    return frozenset(found)


def folders_above(path: str) -> list[str]:
    """Every folder above this one, without /."""
    parts = path[1:].split("/")
    return ["/" + "/".join(parts[:count]) for count in range(1, len(parts))]


def _present(people: Mapping[str, Person]) -> tuple[str, ...]:
    return tuple(name for name, person in people.items() if person.standing != PAST)


def _with_few_past(people: dict[str, Person]) -> dict[str, Person]:
    """None when nobody else is left, and of many only the last."""
    present = _present(people)
    past = [name for name in people if name not in present][-MOST_PEOPLE:] if present else []
    return {name: person for name, person in people.items() if name in present or name in past}


def _check_same(name: str, uid: int, people: Mapping[str, Person]) -> None:
    if name in _present(people) and people[name].uid != uid:
        message = f"{name} is another account now than the one the project was shared with; unshare it first."
        raise Refusal("unknown_user", message)


def _check_members(request: Request, people: Mapping[str, Person]) -> None:
    members = {name for name, person in people.items() if person.standing == MEMBER}
    if not people or not members.issuperset(request.members):
        raise Refusal("not_shared", "The project is not shared, or not with everybody who was named.")
