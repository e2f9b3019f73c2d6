#!/usr/bin/env python3
"""A collector's loop that is right, with Python 3.9 and its standard library only.

Copy it, and put your own rating into `price_of` and your own store into `Ratings`.

    check  ->  rate the next period  ->  advance, with `expected`  ->  and again, from the check

What it guarantees: every period of a unit, from its first one up to its state, is rated once. None is rated twice and
none is left out, however often this program, the server or its database is killed, however many collectors work on the
same units, and although operators reset states meanwhile. Three things make it so:

1. First rate, then advance. A crash between the two leaves a state that says "not rated yet", so the period is rated
   again: the rating store has to take that as the same rating (below). The other way round, a crash would leave a
   period that everybody takes for rated and nobody has rated.
2. `expected` is the state that the period was computed from; the advance is refused when it is another one by now.
   Without it: a state is at 10:00. Collector A checks, and rates 11:00. An operator finds a mistake, deletes the ratings
   since 06:00 and resets the state to 05:00; collector B checks, and starts over with 06:00. Now A's advance to 11:00
   arrives. It is later than what is stored, so it is taken: 07:00 to 10:00 are billed to nobody.
3. Nothing is remembered from one round to the next. Each begins with a check, and so does each start: this program may
   be killed at any moment.

What the rating store must do:

- keep a rating for good before it says so: commit first, advance after;
- keep one rating for each unit and period, however often it is given: a unique key, as here. A store that can't do that
  must write down, in the same transaction as the ratings, the start of the last period rated for each unit, and refuse
  what is not later;
- be one store for all collectors of a unit.

What an operator must do: before ratings are deleted for a reset, switch the scopes off (`setScopeActivation`) and wait
until the collectors have finished their round, else a rating on its way arrives after the deletion; then reset, and
switch them on. The same before a reset to a *later* state, or one period after it may be there already.
"""

import argparse
import http.client
import json
import os
import random
import sqlite3
import sys
import time
import urllib.error
import urllib.request
import uuid

BATCH_SIZE = 500  # one transaction on the server, and one in the rating store
TIMEOUT_SECONDS = 30
PATIENCE_SECONDS = 5 * 60

CHECK = """mutation ($input: CheckScopeStatesInput!) {
  checkScopeStates(input: $input) {
    results { outcome scopeState { lastProcessedTimestamp } nextPeriod { start end } }
  }
}"""
ADVANCE = """mutation ($input: AdvanceScopeStatesInput!) {
  advanceScopeStates(input: $input) { results { outcome } }
}"""


class Refused(Exception):
    """The request can't be taken, or something is broken: sending it again would end the same way."""


class TryAgain(Exception):
    """Nothing was done, or it can't be told whether it was."""

    def __init__(self, reason, after_seconds=0.0):
        super().__init__(reason)
        self.after_seconds = after_seconds


class Scopestate:
    """The two requests of a collector, in one transaction each."""

    def __init__(self, url, token=None):
        self.url = url
        self.headers = {"content-type": "application/json", "accept": "application/json"}
        if token:
            self.headers["authorization"] = "Bearer " + token

    def check(self, units):
        return self._request(CHECK, {"units": units})["checkScopeStates"]["results"]

    def advance(self, advances):
        return self._request(ADVANCE, {"advances": advances})["advanceScopeStates"]["results"]

    def _request(self, document, given):
        """Sends until there is an answer, for PATIENCE_SECONDS.

        After UNAVAILABLE, 429 and 503, when nothing was done, it waits and sends again. After OUTCOME_UNKNOWN, a
        timeout or a broken connection, when it may have been done, it does the same: a check may be done twice, and an
        advance that was done says UNCHANGED the second time. (That holds as long as a unit is in a batch once.)
        """
        body = json.dumps({"query": document, "variables": {"input": given}}).encode()
        give_up = time.monotonic() + PATIENCE_SECONDS
        delay = 0.2
        while True:
            try:
                return self._exchange(body)
            except TryAgain as failure:
                # Half of it random, so that collectors that failed together don't come back together.
                wait = max(delay * random.uniform(0.5, 1), failure.after_seconds)
                if time.monotonic() + wait > give_up:
                    raise
                print(f"{failure}; trying again in {wait:.1f} s", file=sys.stderr)
                time.sleep(wait)
                delay = min(delay * 2, 10)

    def _exchange(self, body):
        request_id = str(uuid.uuid4())  # the server's log has the request under it
        request = urllib.request.Request(self.url, body, {**self.headers, "x-request-id": request_id})
        try:
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
                    status, headers, text = response.status, response.headers, response.read()
            except urllib.error.HTTPError as response:
                status, headers, text = response.code, response.headers, response.read()
        except (OSError, http.client.HTTPException) as failure:  # no answer, or not all of it
            raise TryAgain(f"{self.url} gave no answer: {failure} (request {request_id})") from failure
        try:
            answer = json.loads(text)
        except ValueError:
            answer = {}
        errors = answer.get("errors") or []
        if status == 200 and not errors and answer.get("data"):
            return answer["data"]
        code = errors[0].get("extensions", {}).get("code", "") if errors else ""
        message = errors[0].get("message", "") if errors else repr(text[:100])
        reason = f"status {status} {code} {message} (request {request_id})"
        if code in ("UNAVAILABLE", "RATE_LIMITED", "OUTCOME_UNKNOWN") or status in (429, 502, 503, 504):
            after = headers.get("retry-after") or ""
            raise TryAgain(reason, float(after) if after.isdigit() else 0.0)
        raise Refused(reason)


def price_of(unit, period):
    """Your rating: read the unit's usage from `start` (inclusive) to `end` (exclusive) and put a price on it."""
    return 1.0


class Ratings:
    """Your rating store; here a file of SQLite's, which several collectors on one machine can share."""

    def __init__(self, path):
        self.database = sqlite3.connect(path, timeout=60, isolation_level=None)
        self.database.execute("pragma synchronous = full")
        self.database.execute(
            """create table if not exists rating (
                 scope_id text, scope_key text, collector text, fetcher text, period_start text, period_end text, price real,
                 primary key (scope_id, scope_key, collector, fetcher, period_start)
               )"""
        )

    def add(self, works):
        """All of them or, after a crash, none; for good once this returns. A rating that is there already stays."""
        self.database.execute("begin immediate")
        self.database.executemany(
            "insert into rating values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
            [
                (
                    unit["scopeId"],
                    unit["scopeKey"],
                    unit["collector"],
                    unit["fetcher"],
                    period["start"],
                    period["end"],
                    price_of(unit, period),
                )
                for unit, period, _ in works
            ],
        )
        self.database.execute("commit")


def rate_next_periods(scopestate, units, ratings):
    """Rates the next period of each unit that has one due; how many had."""
    works = []
    for unit, check in zip(units, scopestate.check(units)):
        if check["outcome"] == "FORBIDDEN":
            raise forbidden(unit)
        # No period: nothing is due, or the scope is switched off. An unknown unit has one, and None as its state.
        if check["nextPeriod"] is not None:
            state = check["scopeState"]
            expected = None if state is None else state["lastProcessedTimestamp"]
            works.append((unit, check["nextPeriod"], expected))
    if not works:
        return 0
    ratings.add(works)
    results = scopestate.advance(
        [
            {"unit": unit, "lastProcessedTimestamp": period["start"], "expected": expected}
            for unit, period, expected in works
        ]
    )
    for (unit, period, _), result in zip(works, results):
        heed(result["outcome"], unit, period)
    return len(works)


def heed(outcome, unit, period):
    """What to do about an advance's outcome. The next round begins with a check, which is most of it."""
    if outcome in ("CREATED", "ADVANCED"):
        return  # go on with the next period
    if outcome == "UNCHANGED":
        return  # it was advanced already: by this collector, if an answer was lost, or by another. Go on
    if outcome in ("STALE", "REGRESSION"):
        # Somebody else moved the state: another collector, or an operator. What was checked holds no more; check again.
        print(f"{outcome}: {unit['scopeId']} was moved while {period['start']} was rated", file=sys.stderr)
        return
    if outcome == "INACTIVE":
        # Leave it alone: checks say that nothing is due until it is switched on, and this period is then the next.
        print(f"{outcome}: {unit['scopeId']} is switched off", file=sys.stderr)
        return
    if outcome == "FORBIDDEN":
        raise forbidden(unit)  # its grants were narrowed since it was checked
    # IN_FUTURE: the period came from the server, so its database's clock has gone back. No retry mends that.
    raise Refused(f"{outcome}: {period['start']} lies after the database's clock: look at the clocks")


def forbidden(unit):
    """No retry mends that, and whoever rates on without saying so leaves a unit unrated for good: a human has to."""
    texts = ", ".join(unit[part] for part in ("scopeId", "scopeKey", "collector", "fetcher"))
    return Refused(f"FORBIDDEN: this collector is not granted the unit ({texts}): look at its grants")


def read_units(path):
    """Each unit once: a batch that is sent again must not hold two advances of one unit."""
    with open(path, encoding="utf-8") as file:
        units = json.load(file)
    parts = ("scopeId", "scopeKey", "collector", "fetcher")
    if not isinstance(units, list):
        raise ValueError("it is not a JSON array")
    if not all(
        isinstance(unit, dict) and all(isinstance(unit.get(part), str) for part in parts) for unit in units
    ):
        raise ValueError(f"not every element of it is a unit, with {', '.join(parts)} as texts")
    return list({tuple(unit[part] for part in parts): unit for unit in units}.values())


def run(scopestate, units, ratings, pause_seconds, until_idle):
    rated, is_first = 0, True
    while True:
        due = 0
        for place in range(0, len(units), BATCH_SIZE):
            due += rate_next_periods(scopestate, units[place : place + BATCH_SIZE], ratings)
        rated += due
        if due > 0:
            continue
        if rated > 0 or is_first:
            print(f"rated {rated} periods; nothing more is due", flush=True)
        if until_idle:
            return
        rated, is_first = 0, False
        time.sleep(pause_seconds)


def main():
    setting = os.environ.get
    parser = argparse.ArgumentParser(
        description="Rates what is due, and advances the states.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--url", default=setting("COLLECTOR_URL", "http://localhost:4000/graphql"), help="the server")
    parser.add_argument("--units", default=setting("COLLECTOR_UNITS", "units.json"), help="a file: the collection units, as a JSON array")
    parser.add_argument("--ratings", default=setting("COLLECTOR_RATINGS", "ratings.sqlite"), help="the rating store, a file of SQLite's")
    parser.add_argument("--pause-seconds", type=float, default=setting("COLLECTOR_PAUSE_SECONDS", "60"), help="the wait when nothing is due")
    parser.add_argument("--until-idle", action="store_true", help="end instead of waiting")
    options = parser.parse_args()
    if not options.url.startswith(("http://", "https://")):
        parser.error(f"--url: found {options.url}; allowed: http://host:port/graphql, or https")
    if not options.pause_seconds > 0:
        parser.error(f"--pause-seconds: found {options.pause_seconds}; allowed: a number above 0")
    try:
        units = read_units(options.units)
    except (OSError, ValueError) as failure:
        parser.error(f"--units: {options.units} can't be read: {failure}")

    scopestate = Scopestate(options.url, setting("COLLECTOR_TOKEN"))
    try:
        run(scopestate, units, Ratings(options.ratings), options.pause_seconds, options.until_idle)
    except (Refused, TryAgain) as failure:
        # After PATIENCE_SECONDS, or for a mistake in a request. It is safe to end, as any crash is: let your supervisor
        # start it again.
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
