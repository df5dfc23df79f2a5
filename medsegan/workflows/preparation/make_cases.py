"""All cases of a plan, prepared and written by a crew."""

from pathlib import Path

from ...progress import Progress
from ..processes.crew import Crew, Document
from .case_work import make_case
from .look import case_to_json
from .plan import PreparationPlan
from .resume import settings_digest


def make_cases(plan: PreparationPlan, folder: Path, crew: Crew, progress: Progress) -> dict[Path, str]:
    """Image -> reason of each case that could not be prepared, in the order of the plan.

    Args:
        plan: whose cases are prepared, but for those that are done already.
        folder: of the store to be; the files of all others lie in it afterwards.
        crew: does the work.
        progress: hears of each case.

    Raises:
        InputError: the files cannot be written, as on a full disk.
    """
    cases = plan.to_do
    settings = plan.settings.to_json()
    documents = [
        {
            "case": case_to_json(case),
            "settings": settings,
            "folder": str(folder),
            "origin": {"settings": settings_digest(case, plan.settings), **plan.seen(case)},
        }
        for case in cases
    ]
    reasons: dict[int, str] = {}
    if not cases:
        return {}
    n_before = len(plan.cases) - len(cases)
    progress.start(f"prepare {plan.settings.domain}", len(plan.cases), "cases")
    for done, (number, answer) in enumerate(crew.run(make_case, documents), start=n_before + 1):
        reason = _reason(answer)
        if reason is not None:
            reasons[number] = reason
        progress.item(plan.case_id(cases[number]))
        progress.update(done, {"failed": len(reasons)} if reasons else None)
    progress.finish()
    return {cases[number].image: reasons[number] for number in sorted(reasons)}


def _reason(answer: Document | Exception) -> str | None:
    return str(answer) if isinstance(answer, Exception) else answer.get("failure")
