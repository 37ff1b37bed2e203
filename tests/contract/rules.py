"""The rules of time, order and second deliveries, each with its test and with the edit of our source that takes it out.

`test_rules.py` makes each edit and asserts that the test then fails: a check that cannot fail is worth nothing.

    python -m tests.contract.rules    write the table of docs/order.md anew
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple


class Rule(NamedTuple):
    """``says`` is the rule; in ``module`` the text ``old`` (there exactly once) carries it, and ``new`` takes it out."""

    name: str
    says: str
    test: str
    module: str
    old: str
    new: str


_ORDER = "tests/detect/test_order.py::test_same_signals_whatever_the_order"
_ENRICH = "tests/enrich/test_stage.py::test_"
_RUNNER = "tests/engine/test_runner.py::test_"
_CRASH = "tests/engine/test_crash_in_checkpoint.py::test_"
_LOG = "tests/engine/test_changelog.py::test_"
_OUTBOX = "tests/engine/test_outbox.py::test_"
_PROGRESS = "tests/contract/test_progress.py::test_"

RULES = (
    # Time
    Rule(
        "replay-clock",
        "A replay tells its clock once for each grid line that holds a mention, before it, and once at its end plus the tail.",
        "tests/sources/test_plan.py::test_every_mention_is_planned_once_and_the_clock_runs_on",
        "streams.sources.plan",
        "yield clock_record(last + round(tail_hours * _HOUR_MS), source_id)",
        "pass",
    ),
    Rule(
        "replay-clock-behind",
        "A replay's clock is never ahead of one of its own mentions.",
        "tests/sources/test_plan.py::test_the_clock_is_never_ahead_of_a_mention",
        "streams.sources.plan",
        "cell = published_ms - published_ms % grid_ms",
        "cell = published_ms - published_ms % grid_ms + grid_ms",
    ),
    Rule(
        "worker-clock",
        "The owner of a raw partition tells it the wall time, also when it is empty.",
        _PROGRESS + "a_worker_tells_the_time_to_partitions_that_nobody_publishes_to",
        "streams.topology",
        "if wall_clock is not None else []",
        "if False and wall_clock is not None else []",
    ),
    Rule(
        "clock-ahead",
        "A clock more than 5 min after its own Kafka timestamp is rejected and moves nothing.",
        _ENRICH + "a_clock_ahead_of_its_timestamp_is_rejected_and_moves_nothing",
        "streams.enrich.stage",
        "if clock.time_ms > record.timestamp + limit:",
        "if False:",
    ),
    Rule(
        "mention-ahead",
        "A mention published more than 5 min after W_p takes that time instead.",
        _ENRICH + "a_late_mention_applies_at_the_watermark_and_an_early_one_is_moved_to_it",
        "streams.enrich.stage",
        "early = published > now + self._early_ms",
        "early = False",
    ),
    Rule(
        "mention-ahead-no-clock",
        "Before any clock its Kafka timestamp limits a mention.",
        _ENRICH + "before_any_clock_the_timestamp_limits_a_mention",
        "streams.enrich.stage",
        "now = record.timestamp if watermark is None else watermark",
        "now = published if watermark is None else watermark",
    ),
    Rule(
        "replay-past",
        "A replay of the past is refused where the topics' clock is later.",
        "tests/sources/test_replay.py::test_the_past_is_refused_where_the_clock_is_later",
        "streams.sources.replay",
        "if self._newest_clock > first_ms:",
        "if False:",
    ),
    Rule(
        "liveness-by-source",
        "Silence is known for each source: one dead source among two is told.",
        _ENRICH + "a_silent_source_is_told_and_its_return_too",
        "streams.enrich.sources",
        "if up and last < limit:",
        "if up and max(at for at, _ in sources.values()) < limit:",
    ),
    # Order
    Rule(
        "1-lateness",
        "Rule 1: a late mention applies at W_p, so nothing is late after enrich.",
        _ENRICH + "a_late_mention_applies_at_the_watermark_and_an_early_one_is_moved_to_it",
        "streams.enrich.stage",
        "applies = published if watermark is None or published > watermark else watermark",
        "applies = published",
    ),
    Rule(
        "1-greatest-clock",
        "Rule 1: W_p is the greatest accepted clock; it never goes back.",
        _PROGRESS + "watermarks_travel_as_one_vector_to_all_and_only_when_something_moved",
        "streams.enrich.sources",
        "if self._greatest is None or time_ms > self._greatest:",
        "if True:",
    ),
    Rule(
        "2-strictly-below",
        "Rule 2: what lies at W still waits; only what lies strictly below is applied.",
        "tests/detect/test_order.py::test_takes_only_what_lies_below",
        "streams.detect.order",
        "if (key + 1) * _BUCKET_MS > limit and bucket[-1][0] >= limit:",
        "if False:",
    ),
    Rule(
        "2-smallest",
        "Rule 2: W is the smallest W_p, so a slow partition is waited for.",
        _ORDER,
        "streams.detect.order",
        "self._watermark = min(known) if",
        "self._watermark = max(known) if",
    ),
    Rule(
        "2-every-partition",
        "Rule 2: nothing is applied while one raw partition is silent and has told no time.",
        "tests/detect/test_order.py::test_waits_for_every_partition",
        "streams.detect.order",
        "if len(known) == len(self._marks) else None",
        "if known else None",
    ),
    Rule(
        "2-order",
        "Rule 2: mentions are applied in the order (applies_at, id).",
        _ORDER,
        "streams.detect.order",
        "bucket.sort()",
        "bucket.sort(key=lambda entry: entry[0])",
    ),
    Rule(
        "3-below",
        "Rule 3: what comes again after it was applied lies below W and is dropped.",
        _ORDER,
        "streams.detect.order",
        "if self._watermark is not None and at_ms < self._watermark:",
        "if False:",
    ),
    Rule(
        "3-waiting",
        "Rule 3: what comes again while it waits is dropped.",
        _ORDER,
        "streams.detect.order",
        "for i in reversed(doubled):",
        "for i in ():",
    ),
    Rule(
        "3-brand",
        "Rule 3: two brands of one mention in one partition are two records.",
        _PROGRESS + "two_brands_of_one_mention_in_one_partition_both_count",
        "streams.detect.order",
        "entries[i][:5] == entries[i - 1][:5]",
        "entries[i][1:4] == entries[i - 1][1:4]",
    ),
    Rule(
        "3-no-high-water-mark",
        "Rule 3: what was applied is no prefix of the offsets; an offset below one that was applied still counts.",
        _ORDER,
        "streams.detect.order",
        "if self._watermark is not None and at_ms < self._watermark:",
        "seen, key = self.__dict__.setdefault('_seen', {}), (entry[2], entry[4])\n"
        "        if entry[3] < seen.get(key, -1) or seen.update({key: entry[3]}):",
    ),
    Rule(
        "4-lines",
        "Rule 4: brands are judged at fixed lines of event time; the watermark decides only when that is computed.",
        _ORDER,
        "streams.detect.stage",
        "        self._judge_until(limit, outputs)\n",
        "        self._judge_until(limit, outputs)\n"
        "        for brand_id in sorted(self._brands):\n"
        "            self._judge(self._brands[brand_id], limit, outputs)\n",
    ),
    Rule(
        "4-batches",
        "Rule 4: no number depends on how records were batched.",
        "tests/contract/test_stages.py::test_cuts_into_batches_change_nothing",
        "streams.detect.stage",
        "        for record in records:\n            if record.value is None or not record.headers:",
        "        self._grid = 60_000 + 1000 * (len(records) % 3)\n"
        "        for record in records:\n            if record.value is None or not record.headers:",
    ),
    Rule(
        "watermark-after-sends",
        "Watermarks go out only after every earlier send is confirmed.",
        _CRASH + "a_pulse_waits_for_what_was_sent_before",
        "streams.engine.worker",
        "                await self.outbox.confirmed()\n                self.outbox.send(news)",
        "                self.outbox.send(news)",
    ),
    Rule(
        "watermark-vector",
        "Watermarks travel as one vector to each enriched partition, and only if something moved.",
        _PROGRESS + "watermarks_travel_as_one_vector_to_all_and_only_when_something_moved",
        "streams.topology",
        "if all(sent.get(p) == w for p, w in marks.items()):",
        "if not marks:",
    ),
    Rule(
        "alignment",
        "A raw partition far ahead of the slowest is not read while many mentions wait; the slowest always is.",
        _PROGRESS + "a_partition_far_ahead_is_held_back_and_the_slowest_never",
        "streams.topology",
        "return ahead <= 0 or (ahead <= self._max_skew_ms and waiting < self._max_waiting)",
        "return True",
    ),
    Rule(
        "alignment-full",
        "Within the skew a partition is read until detect holds too much.",
        _PROGRESS + "within_the_skew_only_a_full_room_holds_back",
        "streams.topology",
        "(ahead <= self._max_skew_ms and waiting < self._max_waiting)",
        "ahead <= self._max_skew_ms",
    ),
    # State, commits, zombies
    Rule(
        "5-outputs-first",
        "Rule 5: outputs are confirmed before the states that vouch for them are written.",
        _RUNNER + "a_checkpoint_confirms_saves_confirms_commits",
        "streams.engine.runner",
        "        await self._outbox.confirmed()\n        size = self._changelog.write(saved, full=full)",
        "        size = self._changelog.write(saved, full=full)",
    ),
    Rule(
        "5-states-before-commit",
        "Rule 5: states and cut are confirmed before the offset is committed.",
        _CRASH + "a_crash_at_any_step_of_a_checkpoint_changes_nothing",
        "streams.engine.runner",
        "        await self._outbox.confirmed()\n        self.saved = saved.commit",
        "        self.saved = saved.commit",
    ),
    Rule(
        "5-commit-waits",
        "Rule 5: the commit is the smallest offset that still waits, not the next to read.",
        _ORDER,
        "streams.detect.order",
        "return min((entry[5] for bucket in self._buckets.values() for entry in bucket), default=next_offset)",
        "return next_offset",
    ),
    Rule(
        "5-ahead-of-the-cut",
        "Rule 5: a state ahead of the cut skips mentions below its own W.",
        _ORDER,
        "streams.detect.stage",
        "if t_ms < brand.w:",
        "if False:",
    ),
    Rule(
        "feeds-before-brands",
        "Rule 5: what brands are compared by (suspect feeds) is a state of its own, which says below its own W what it said then.",
        "tests/detect/test_feeds.py::test_batches_crashes_and_brands_that_are_ahead_change_nothing",
        "streams.detect.feeds",
        "if line > log.w:",
        "if True:",
    ),
    Rule(
        "baseline-once",
        "A baseline that was told applies at its place in the log; a second delivery changes nothing.",
        "tests/detect/test_warm.py::test_a_second_time_changes_nothing",
        "streams.detect.warming",
        "if base.hours >= told.hours or",
        "if",
    ),
    Rule(
        "6-generation",
        "Rule 6: a zombie writes under its own generation, so it overwrites nothing.",
        _LOG + "the_cut_of_the_newest_owner_counts_though_a_zombie_got_further",
        "streams.engine.changelog",
        'b"%d!" % self.generation, cut',
        'b"0!", cut',
    ),
    Rule(
        "6-greatest-progress",
        "Rule 6: recovery keeps the state that is computed furthest, though a stale write came later.",
        _LOG + "a_zombies_late_write_is_not_the_last_word",
        "streams.engine.changelog",
        "if known is None or progress >= known[0]:",
        "if True:",
    ),
    Rule(
        "6-clear-late",
        "Rule 6: older generations are cleared only after the own copy is confirmed.",
        _LOG + "older_generations_are_cleared_only_when_asked",
        "streams.engine.changelog",
        "        self._stale = recovered.stale\n",
        "        self._stale = recovered.stale\n        self._clearable += [key for keys in self._stale.values() for key in keys]\n",
    ),
    Rule(
        "7-dense",
        "Rule 7: the next stage stops on a gap in a brand's seq.",
        "tests/crisis/test_stage.py::test_gap_stops",
        "streams.crisis.stage",
        "if signal.seq != state.signal_seq + 1:",
        "if False:",
    ),
    Rule(
        "7-known",
        "Rule 7: the next stage drops a seq that it has.",
        _PROGRESS + "a_second_signal_is_dropped",
        "streams.crisis.stage",
        "if signal.seq <= state.signal_seq:",
        "if False:",
    ),
    Rule(
        "idempotent",
        "The producer is idempotent and waits for all replicas.",
        _OUTBOX + "the_producer_is_idempotent",
        "streams.engine.outbox",
        "enable_idempotence=True",
        "enable_idempotence=False",
    ),
    Rule(
        "deadline",
        "Each send has a deadline of the engine's own.",
        _OUTBOX + "a_broker_that_is_gone_fails_within_the_deadline",
        "streams.engine.outbox",
        "await asyncio.wait(waiters, timeout=max(0.0, end - asyncio.get_running_loop().time()))",
        "await asyncio.wait(waiters)",
    ),
    Rule(
        "contiguous",
        "A batch dropped between fetch and queue is fetched again; delivered batches are contiguous.",
        _RUNNER + "a_batch_dropped_on_the_way_is_fetched_again",
        "streams.engine.runner",
        "if batch.position > self.next_queued:",
        "if False:",
    ),
    Rule(
        "holes",
        "A hole in an input log is an error, never passed over.",
        "tests/engine/test_records.py::test_a_hole_in_the_log_is_told",
        "streams.engine.records",
        "if not self._compacted and piece.base_offset > expected:",
        "if False:",
    ),
    Rule(
        "commit-before-giving-up",
        "What was applied is saved and committed before partitions are given up.",
        _CRASH + "partitions_are_given_up_only_after_the_commit",
        "streams.engine.assignment",
        "await self._close(leaving, self.settings.engine.session_timeout_seconds / 2)",
        "pass",
    ),
    # One input log for each stage
    Rule(
        "commands-once",
        "A command offset that was forwarded before is dropped by the crisis stage.",
        _PROGRESS + "a_second_command_is_dropped",
        "streams.crisis.stage",
        "if forwarded.offset <= state.commands.get(forwarded.partition, -1):",
        "if False:",
    ),
    Rule(
        "watermark-passed-on",
        "Detect passes its watermark on to brand.signals.",
        _PROGRESS + "detect_passes_its_watermark_on",
        "streams.topology",
        'news.append(_watermark_record("brand.signals", partition, watermark))',
        "pass",
    ),
    Rule(
        "watermark-drives",
        "The watermark drives easing and resolving of quiet brands.",
        "tests/crisis/test_stage.py::test_quiet_brand_ends_by_time",
        "streams.crisis.stage",
        'self._on_watermark(_watermark.decode(record.value or b"").time_ms, record.offset, outputs)',
        "pass",
    ),
    Rule(
        "equal-counts",
        "Partition counts of enriched, signals and commands are equal; doctor checks it.",
        "tests/cli/test_doctor.py::test_missing_topics_and_unequal_counts_are_wrong",
        "streams.cli.doctor",
        "if len(set(equal.values())) > 1:",
        "if False:",
    ),
    Rule(
        "watchlist-version",
        "Enrich switches at a marker once it has read that version, and waits until then.",
        _ENRICH + "a_version_that_has_not_arrived_changes_nothing",
        "streams.enrich.stage",
        "if marker is not None and self._watchlists.get(marker) is None:",
        "if False:",
    ),
    Rule(
        "duplicate",
        "A duplicate is an id whose first offset is lower.",
        "tests/enrich/test_duplicates.py::test_an_id_is_not_its_own_duplicate",
        "streams.enrich.duplicates",
        "if first >= offset:",
        "if False:",
    ),
    Rule(
        "seen-once",
        "The same id counts once.",
        _ENRICH + "the_same_id_counts_once_and_other_numbers_update",
        "streams.enrich.duplicates",
        "if mark == 0 or mark == packed & 0xFFFF:",
        "if False:",
    ),
)


def table() -> str:
    """Return the table of docs/order.md."""
    rows = [f"| {rule.says} | `{path}` `{function}` |" for rule in RULES for path, _, function in [rule.test.partition("::")]]
    return "\n".join(["| rule | test |", "|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    PAGE = Path(__file__).parents[2] / "docs" / "order.md"
    before, after = re.split(r"\| rule \| test \|\n(?:\|.*\n)*", PAGE.read_text("utf-8"))
    PAGE.write_text(before + table() + after, "utf-8")
