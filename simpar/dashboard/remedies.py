"""Answers to "what would make this collective needless?", found by cutting the recorded program again."""

from simpar.dashboard.models.repartition import RemedyAnswer
from simpar.dashboard.problems import RequestError
from simpar.dashboard.repartition import operator_item, recorded
from simpar.dashboard.store import OpenedRun
from simpar.dashboard.view import cause_of, program_view
from simpar.dashboard.workshop import Workshop
from simpar.planning import Remedy, find_remedy, tally
from simpar.recorder import bytes_text

__all__ = ["remedy"]

_SETTLED = {
    "gradient": "A gradient is summed because copies of the parameter see different parts of the batch: it is what "
    "data parallelism costs, and no change of one operator's strategy is looked for.",
    "optimizer": "It is there because the parallel optimizer stores a parameter in smaller slices than it is used in: "
    "memory is saved for these bytes, and no change of one operator's strategy is looked for.",
    "written": "It was written in the program, not inserted: simpar does not look for what replaces it.",
}


def remedy(opened: OpenedRun, program: str | None, collective: int, workshop: Workshop) -> RemedyAnswer:
    """Return the cheapest change of one operator's strategy that removes a collective.

    Raises:
        RequestError: there is no such collective.
    """
    view = program_view(opened, program)
    spec = next((c for c in view.compiled.collectives if c.index == collective), None)
    if spec is None:
        raise RequestError(404, "no_collective", f"the program has no collective {collective}.")
    name, found = recorded(opened, program)
    settled = _SETTLED.get(cause_of(spec.cause))
    if settled is not None or isinstance(found, str):
        words = settled if settled is not None else str(found)
        return _answer(name, collective, words=words[:1].upper() + words[1:])

    key = (opened.name, name, view.compiled.digest, "remedy", collective)
    made = workshop.ask(key, lambda: find_remedy(found, tally(found.partitioned, with_memory=False), collective))
    if made is None:
        return _answer(name, collective, is_working=True)
    answer = _answer(name, collective, made, words=_words(made))
    if made.node is None or made.cut is None:
        return answer
    maps = None if made.strategy is None else tuple(lay.tensor_map for lay in made.strategy)
    proposal = {
        "operator": operator_item(found, made.cut, made.node),
        "dev_mat": found.dev_mat,
        "strategies": {str(place): maps for place in made.alike},
    }
    return answer.model_copy(update=proposal)


def _answer(
    name: str, collective: int, made: Remedy | None = None, *, words: str = "", is_working: bool = False
) -> RemedyAnswer:
    return RemedyAnswer(
        program=name,
        collective=collective,
        state="working" if is_working else "done",
        found=made is not None and made.node is not None,
        words=words,
        operator=None,
        dev_mat=(),
        strategies={},
        sent_before=0 if made is None else made.sent_before,
        sent_after=0 if made is None else made.sent_after,
        tried=0 if made is None else made.tried,
        candidates=0 if made is None else made.candidates,
    )


def _words(made: Remedy) -> str:
    tried = (
        f"{made.tried} changes were tried"
        if made.tried == made.candidates
        else (f"{made.tried} of {made.candidates} changes were tried before time ran out")
    )
    if made.node is None:
        why = "each that removes it makes the step send as much or more" if made.removes else "none of them removes it"
        return f"No single change of strategy makes it cheaper: {tried}, and {why}."
    saved = bytes_text(made.sent_before - made.sent_after)
    more = "" if made.work <= 1 else f" Each rank then computes {made.work:g} times as much of this operator."
    return f"A rank would send {saved} less in a step.{more} ({tried}.)"
