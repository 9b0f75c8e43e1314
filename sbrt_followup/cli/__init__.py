"""Commands: options, one call, a renderer, an exit code; the only place that catches errors.

Exit codes: 0 done, 1 findings (an audit, check or validation found something), 2 input or usage refused; 128 + the signal
when stopped.
"""

from __future__ import annotations

import sys

from ..problems import InputRefused

MOST_PROBLEMS = 200


def main() -> None:
    """Run the program; turn refusals into one readable list and never show a traceback with data in it."""
    from .streams import Stopped, prepare, stoppable

    prepare()
    try:
        with stoppable():
            from .app import app

            app(prog_name="sbrt-followup")
    except InputRefused as refused:
        for problem in refused.problems[:MOST_PROBLEMS]:
            _say(f"{problem.severity}: {problem}")
        count = len(refused.problems)
        more = f" ({count - MOST_PROBLEMS} more than shown)" if count > MOST_PROBLEMS else ""
        _say(f"sbrt-followup: {count} problem{'s' if count != 1 else ''}{more}; {_left()}")
        sys.exit(2)
    except Stopped as stopped:
        _say(f"sbrt-followup: {stopped.words}; {_left()}")
        sys.exit(128 + stopped.number)
    except BrokenPipeError:
        # The reader (head, less) closed the pipe: not an error of ours.
        from .call import to_nowhere

        to_nowhere(sys.stdout)
        sys.exit(0)
    except MemoryError:
        _say(f"sbrt-followup: not enough memory; split the cohort, or use a Parquet file; {_left()}")
        sys.exit(2)
    except OSError as error:
        _say(f"sbrt-followup: {error.strerror or 'input or output failed'} [system-refused]; {_left()}")
        sys.exit(2)
    except Exception as error:  # an identifier could stand in any traceback, so only its place is shown
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else "?"
        _say(f"sbrt-followup: internal error {type(error).__name__} at {place}. Please report it; {_left()}")
        sys.exit(2)


def _left() -> str:
    """Say which files this call had written when it ended."""
    from .call import written

    names = [path.name for path in written()]
    return f"written before that: {', '.join(names)}." if names else "nothing was written."


def _say(text: str) -> None:
    from ..problems import clean

    try:
        print(clean(text), file=sys.stderr)
    except (OSError, ValueError):
        return
