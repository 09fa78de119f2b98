"""Statistics over three nodes in a line."""

import asyncio
import re

import axl
import pytest
from conftest import until


async def line(nodes, **options):
    middle = await nodes.node(**options)
    return await nodes.node(middle), middle, await nodes.node(middle)


async def whole(node, *arguments, nodes=3, **options):
    """While the tree forms, outcomes are of fewer nodes, and settling."""
    async def ask():
        try:
            outcome = await node.aggregate(*arguments, timeout=2, **options)
        except (axl.TimedOut, axl.Busy):
            return None
        return outcome if outcome.contributed + outcome.abstained == nodes else None

    return await until(ask)


def test_every_operation_over_three_nodes_whoever_asks(run):
    async def test(nodes):
        members = await line(nodes)
        for number, node in enumerate(members, 1):
            node.contribute("load", number / 2)
        expected = {"sum": 3, "min": 0.5, "max": 1.5, "mean": 1, "count": 3}
        for operation, value in expected.items():
            outcome = await whole(members[len(operation) % 3], "load", operation)
            assert (outcome.value, outcome.contributed, outcome.missing, outcome.missing_keys) == (value, 3, 0, ())
            assert outcome.groups[""].count == 3 and not outcome.truncated
        outcome = await whole(members[0], "load", "top", limit=2)
        assert outcome.top == (axl.Ranked(1.5, members[2].key), axl.Ranked(1, members[1].key))
        nothing = await whole(members[0], "unknown")
        assert (nothing.value, nothing.top, nothing.values, nothing.abstained) == (None, (), {}, 3)

    run(test)


def test_functions_and_groups_and_patterns_answer(run):
    questions = []

    async def test(nodes):
        left, middle, right = await line(nodes)

        def plain(question):
            questions.append(question)
            return {"cpu": 1, "disk": 10}

        async def slow(question):
            await asyncio.sleep(0)
            return {"cpu": 2} if question.name == "use.all" else None

        left.contribute("use.*", plain)
        with middle.contribute(re.compile(r"use\.\w+"), slow):
            outcome = await whole(right, "use.all", values={"cpu": 4, "net": 2**62})
            assert outcome.values == {"cpu": 7, "disk": 10, "net": 2**62}
            assert {name: one.count for name, one in outcome.groups.items()} == {"cpu": 3, "disk": 1, "net": 1}
            assert questions[0] == axl.Question("use.all", "sum", 2.0, False)
            assert (await whole(right, "use.other")).contributed == 1
        outcome = await whole(right, "use.all", value=1)
        assert outcome.values == {"": 1, "cpu": 1, "disk": 10} and outcome.contributed == 2
        with left.contribute("use.all", None):  # the newest is asked
            assert (await whole(right, "use.all")).contributed == 0

    run(test)


def test_a_node_that_takes_no_part_is_missing(run):
    async def test(nodes):
        taking = await nodes.node()
        silent = await nodes.node(taking, aggregation=False)
        with pytest.raises(axl.NotSupported):
            await silent.aggregate("load")
        with pytest.raises(axl.NotSupported):
            silent.contribute("load", 1)
        taking.contribute("load", 1)
        await silent.ping(taking.key, 60)

        async def partial():
            try:
                outcome = await taking.aggregate("load", timeout=0.3)
            except axl.TimedOut:  # the silent one is the root
                return True
            if outcome.missing:
                assert outcome.missing_keys == (silent.key,) and not outcome.complete and outcome.value == 1
            return outcome.missing

        await until(partial)

    run(test)


def test_a_contributor_that_fails_abstains_and_is_reported(run):
    async def test(nodes):
        node = await nodes.node()
        reports = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: reports.append(context["exception"]))

        async def failing(question):
            raise KeyError("broken")

        for value in (failing, lambda question: 1 / 0, 2**64, float("nan"), "text"):
            with node.contribute("load", value):
                assert (await whole(node, "load", nodes=1)).abstained == 1
        assert [type(report) for report in reports] == [KeyError, ZeroDivisionError, axl.InvalidArgument, axl.InvalidArgument, TypeError]

    run(test)


def test_an_outcome_may_be_told_to_all(run):
    async def test(nodes):
        left, middle, right = await line(nodes)
        told = []
        right.on_told = lambda question, outcome: told.append((question, outcome))
        right.contribute("load", 5)
        outcome = await whole(left, "load", tell_all=True)
        await until(lambda: told and told[-1][1].contributed + told[-1][1].abstained == 3)
        assert told[-1][0].name == "load" and told[-1][1].value == outcome.value == 5

    run(test)


def test_what_cannot_be_asked_raises(run):
    async def test(nodes):
        node = await nodes.node()
        for arguments, options in ((("",), {}), (("load", "median"), {}), (("load",), {"timeout": 100}), (("load", "top"), {"limit": 65})):
            with pytest.raises(axl.InvalidArgument):
                await node.aggregate(*arguments, **options)
        never = asyncio.get_running_loop().create_future()

        async def waits(question):
            await never

        node.contribute("load", waits)
        asking = asyncio.ensure_future(node.aggregate("load", timeout=60))
        await asyncio.sleep(0)
        await node.close()
        with pytest.raises(axl.Closed):
            await asking

    run(test)
