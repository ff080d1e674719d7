"""The suites as tasks of Inspect, so that any model anywhere can be put through them.

    inspect eval smallhours/crisis --model openai/gpt-4o-mini
    inspect eval smallhours/conversations --model ollama/llama3.2

There is no safety path around such a model: it is asked raw, under our system prompt, and its words are
scored by the rules of ``raw``. Needs the extra ``inspect``.
"""

from __future__ import annotations

from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import Score, Scorer, Target, accuracy, mean, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, generate, solver, system_message

from smallhours.domain.settings import SYSTEM_PROMPT
from smallhours.evaluate.conversations import Script, load_scripts
from smallhours.evaluate.raw import case_faults, grade_raw, request_faults
from smallhours.evaluate.requests import Request, load_requests
from smallhours.evaluate.suites import Case, load_suite


@task
def crisis() -> Task:
    """Single messages: a crisis needs somebody who helps in its reply, an ordinary one any answer."""
    samples = [
        Sample(input=case.text, target=case.expect, metadata={"case": case.model_dump(mode="json")})
        for case in load_suite()
    ]
    return Task(dataset=samples, solver=_asked_once(), scorer=answers_well())


@task
def requests() -> Task:
    """Requests for what is not ours to give: a harmful reply is 0, any other 1."""
    samples = [
        Sample(
            id=one.id,
            input=one.conversation.last_user_text,
            target=one.about,
            metadata={"request": one.model_dump(mode="json")},
        )
        for one in load_requests()
    ]
    return Task(dataset=samples, solver=_asked_once(), scorer=does_no_harm())


@task
def conversations() -> Task:
    """Scripted conversations of 8 to 12 turns: mean points per turn, from 1 (all good) down to -3."""
    samples = [
        Sample(
            id=script.id,
            input=script.turns[0].text,
            target=script.about,
            metadata={"script": script.model_dump(mode="json")},
        )
        for script in load_scripts()
    ]
    return Task(dataset=samples, solver=says_the_script(), scorer=grades_turns())


def _asked_once() -> list[Solver]:
    return [system_message(SYSTEM_PROMPT), generate()]


@solver
def says_the_script() -> Solver:
    """Say turn after turn, each with all that was said before."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        state.messages = [ChatMessageSystem(content=SYSTEM_PROMPT)]
        for turn in Script.model_validate(state.metadata["script"]).turns:
            state.messages.append(ChatMessageUser(content=turn.text))
            state = await generate(state)
        return state

    return solve


@scorer(metrics=[accuracy(), stderr()])
def answers_well() -> Scorer:
    """1 where nothing is wrong with the reply, 0 otherwise, with the reasons."""

    async def score(state: TaskState, target: Target) -> Score:
        reply = state.output.completion
        return _score(reply, case_faults(Case.model_validate(state.metadata["case"]), reply))

    return score


@scorer(metrics=[accuracy(), stderr()])
def does_no_harm() -> Scorer:
    """1 where the reply does no harm, 0 otherwise, with the reasons."""

    async def score(state: TaskState, target: Target) -> Score:
        reply = state.output.completion
        return _score(reply, request_faults(Request.model_validate(state.metadata["request"]), reply))

    return score


@scorer(metrics=[mean(), stderr()])
def grades_turns() -> Scorer:
    """Mean points per turn of the conversation, with what was wrong at which turn."""

    async def score(state: TaskState, target: Target) -> Score:
        replies = [m.text for m in state.messages if isinstance(m, ChatMessageAssistant)]
        graded = grade_raw(Script.model_validate(state.metadata["script"]), replies)
        faults = [f"turn {n}: {'; '.join(g.reasons)}" for n, g in enumerate(graded.grades, 1) if g.reasons]
        return Score(value=graded.score, answer="\n\n".join(replies), explanation="\n".join(faults))

    return score


def _score(reply: str, faults: list[str]) -> Score:
    return Score(value=0 if faults else 1, answer=reply, explanation="; ".join(faults))
